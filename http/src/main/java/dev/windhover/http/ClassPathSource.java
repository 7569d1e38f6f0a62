package dev.windhover.http;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.module.ModuleReader;
import java.lang.module.ResolvedModule;
import java.net.JarURLConnection;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLConnection;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The resources below a folder, in a module or on the class path. */
final class ClassPathSource implements StaticFiles.Source {
  /** Reads resources by their whole names. */
  private interface Resources {
    /** Returns the resource's bytes, or null if there is none, or it is a folder. */
    byte @Nullable [] read(String name) throws IOException;
  }

  private final Resources resources;
  private final String prefix;

  private ClassPathSource(Resources resources, String folder) {
    this.resources = resources;
    this.prefix = folder.isEmpty() || folder.endsWith("/") ? folder : folder + "/";
  }

  static ClassPathSource of(Class<?> anchor, String folder) {
    if (folder.startsWith("/")) {
      throw new IllegalArgumentException("folder \"" + folder + "\" begins with /");
    }
    return new ClassPathSource(
        resolved(anchor.getModule())
            .map(ClassPathSource::ofModule)
            .orElseGet(() -> ofLoader(anchor)),
        folder);
  }

  @Override
  public StaticFiles.@Nullable Content find(String name) throws IOException {
    byte[] bytes = resources.read(prefix + name);
    return bytes == null ? null : new Bytes(ByteBuffer.wrap(bytes));
  }

  /** Returns what stands behind a named module; nothing for the class path. */
  private static Optional<ResolvedModule> resolved(Module module) {
    return module.getLayer() == null
        ? Optional.empty()
        : module.getLayer().configuration().findModule(module.getName());
  }

  /**
   * Reads past the module's encapsulation, which would hide a folder like {@code wwwroot} from us,
   * and each folder below it, since their names are those of packages. Whoever names the anchor
   * means it.
   */
  private static Resources ofModule(ResolvedModule module) {
    ModuleReader reader;
    try {
      reader = module.reference().open(); // as long as the program runs
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return name -> {
      Optional<URI> found = reader.find(name);
      if (found.isEmpty() || found.get().toString().endsWith("/")) {
        return null;
      }
      try (InputStream in = reader.open(name).orElse(null)) {
        return in == null ? null : in.readAllBytes();
      }
    };
  }

  private static Resources ofLoader(Class<?> anchor) {
    return name -> {
      URL found = anchor.getResource("/" + name);
      if (found == null || isFolder(found)) {
        return null;
      }
      try (InputStream in = found.openStream()) {
        return in.readAllBytes();
      }
    };
  }

  /** Returns whether {@code resource} is a folder, whose stream would be its listing, or empty. */
  private static boolean isFolder(URL resource) throws IOException {
    if (resource.getProtocol().equals("file")) {
      try {
        return !Files.isRegularFile(Path.of(resource.toURI()));
      } catch (URISyntaxException e) {
        throw new IOException("resource " + resource + " has a malformed address", e);
      }
    }
    URLConnection connection = resource.openConnection();
    return connection instanceof JarURLConnection jar && jar.getJarEntry().isDirectory();
  }

  private record Bytes(ByteBuffer bytes) implements StaticFiles.Content {
    @Override
    public long length() {
      return bytes.remaining();
    }

    @Override
    public void writeTo(HttpResponse response) throws IOException {
      response.write(bytes);
    }
  }
}
