package dev.windhover.http;

import static java.lang.classfile.ClassFile.ACC_PUBLIC;
import static java.lang.constant.ConstantDescs.CD_Object;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_void;
import static java.lang.constant.ConstantDescs.INIT_NAME;
import static java.lang.constant.ConstantDescs.MTD_void;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.Annotation;
import java.lang.classfile.AnnotationElement;
import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassFile;
import java.lang.classfile.attribute.ModuleAttribute;
import java.lang.classfile.attribute.ModuleAttribute.ModuleAttributeBuilder;
import java.lang.classfile.attribute.RuntimeVisibleAnnotationsAttribute;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.constant.ModuleDesc;
import java.lang.module.Configuration;
import java.lang.module.ModuleFinder;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;

/**
 * A third-party module {@code com.acme}, generated for a test: a folder with a descriptor, classes
 * and resources, loaded from there or from a jar, as a module or from a class path.
 */
public final class TestModule {
  private final Path folder;

  public TestModule(Path folder) {
    this.folder = folder;
  }

  public TestModule resource(String name, String text) {
    return write(name, text.getBytes(UTF_8));
  }

  /** Adds a controller; its method {@code get} is mapped to {@code /acme} and answers 299. */
  public TestModule controller(String name, int flags) {
    ClassDesc context = ClassDesc.of("dev.windhover.http.HttpContext");
    ClassDesc response = ClassDesc.of("dev.windhover.http.HttpResponse");
    MethodTypeDesc noArgumentToResponse = MethodTypeDesc.of(response);
    Annotation route =
        Annotation.of(
            ClassDesc.of("dev.windhover.http.Route"), AnnotationElement.ofString("value", "/acme"));
    return type(
        name,
        flags,
        type ->
            type.withMethod(
                "get",
                MethodTypeDesc.of(CD_void, context),
                ACC_PUBLIC,
                method ->
                    method
                        .with(RuntimeVisibleAnnotationsAttribute.of(route))
                        .withCode(code ->
                            code.aload(1)
                                .invokevirtual(context, "response", noArgumentToResponse)
                                .loadConstant(299)
                                .invokevirtual(
                                    response, "status", MethodTypeDesc.of(response, CD_int))
                                .pop()
                                .return_())));
  }

  /** Adds {@code com.acme.Factory}, a supplier of new objects of the class {@code name}. */
  public TestModule factory(String name) {
    ClassDesc product = ClassDesc.of(name);
    return type(
        "com.acme.Factory",
        ACC_PUBLIC,
        type ->
            type.withInterfaceSymbols(ClassDesc.of("java.util.function.Supplier"))
                .withMethodBody(
                    "get",
                    MethodTypeDesc.of(CD_Object),
                    ACC_PUBLIC,
                    code ->
                        code.new_(product)
                            .dup()
                            .invokespecial(product, INIT_NAME, MTD_void)
                            .areturn()));
  }

  /** Adds a class with a public constructor. */
  private TestModule type(String name, int flags, Consumer<ClassBuilder> content) {
    byte[] bytes =
        ClassFile.of()
            .build(
                ClassDesc.of(name),
                type -> {
                  type.withFlags(flags);
                  type.withMethodBody(
                      INIT_NAME,
                      MTD_void,
                      ACC_PUBLIC,
                      code ->
                          code.aload(0).invokespecial(CD_Object, INIT_NAME, MTD_void).return_());
                  content.accept(type);
                });
    return write(name.replace('.', '/') + ".class", bytes);
  }

  /**
   * Loads {@code name} from the module {@code com.acme}, whose directives are {@code directives}.
   */
  public Class<?> fromModulePath(
      String name, boolean asJar, Consumer<ModuleAttributeBuilder> directives) {
    ModuleAttribute descriptor =
        ModuleAttribute.of(
            ModuleDesc.of("com.acme"),
            module -> {
              module.requires(ModuleDesc.of("java.base"), ClassFile.ACC_MANDATED, null);
              module.requires(ModuleDesc.of("dev.windhover.http"), 0, null);
              directives.accept(module);
            });
    write("module-info.class", ClassFile.of().buildModule(descriptor));
    ModuleLayer ours = Objects.requireNonNull(TestModule.class.getModule().getLayer());
    ModuleFinder finder = ModuleFinder.of(asJar ? jar() : folder);
    Configuration configuration =
        ours.configuration().resolve(finder, ModuleFinder.of(), Set.of("com.acme"));
    ModuleLayer layer =
        ours.defineModulesWithOneLoader(configuration, TestModule.class.getClassLoader());
    return load(layer.findLoader("com.acme"), name);
  }

  /** Loads {@code name} from a class path. */
  public Class<?> fromClassPath(String name, boolean asJar) {
    try {
      URL url = (asJar ? jar() : folder).toUri().toURL();
      return load(new URLClassLoader(new URL[] {url}, TestModule.class.getClassLoader()), name);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Class<?> load(ClassLoader loader, String name) {
    try {
      return loader.loadClass(name);
    } catch (ClassNotFoundException e) {
      throw new AssertionError(e);
    }
  }

  private TestModule write(String name, byte[] bytes) {
    Path file = folder.resolve(name);
    try {
      Files.createDirectories(Objects.requireNonNull(file.getParent()));
      Files.write(file, bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return this;
  }

  private Path jar() {
    Path jar = folder.resolveSibling(folder.getFileName() + ".jar");
    try (Stream<Path> found = Files.walk(folder);
        OutputStream file = Files.newOutputStream(jar);
        JarOutputStream out = new JarOutputStream(file)) {
      List<Path> entries = found.filter(path -> !path.equals(folder)).sorted().toList();
      for (Path entry : entries) {
        boolean isFolder = Files.isDirectory(entry);
        String name = folder.relativize(entry).toString().replace('\\', '/');
        out.putNextEntry(new JarEntry(isFolder ? name + "/" : name));
        if (!isFolder) {
          Files.copy(entry, out);
        }
        out.closeEntry();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return jar;
  }
}
