package dev.windhover.http;

import static java.lang.classfile.ClassFile.ACC_PUBLIC;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.lang.classfile.attribute.ModuleAttribute.ModuleAttributeBuilder;
import java.lang.constant.ModuleDesc;
import java.lang.constant.PackageDesc;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ControllersTest {
  @RegisterExtension final CapturedLog log = new CapturedLog();

  private final Application application = new Application();

  private String body(String method, String target) {
    TestExchange sent = TestExchange.of(method, target).through(application);
    return sent.status() == 200 ? sent.sentText() : "" + sent.status();
  }

  @Nested
  class Routes {
    public static class Plain {
      @Route("/any")
      public void any(HttpContext context) throws IOException {
        context.response().write("any");
      }

      @Route(
          value = "/some/{id}",
          methods = {"GET", "POST"})
      public HttpResponse some(HttpContext context) throws IOException {
        return context.response().write("some " + context.request().pathParameter("id"));
      }

      public void other(HttpContext context) {
        context.abort();
      }
    }

    @Route(value = "/api", methods = "GET")
    public static final class Prefixed extends Plain {
      @Route("")
      public void root(HttpContext context) throws IOException {
        context.response().write("root");
      }

      @Override
      @Route("/overridden")
      public void any(HttpContext context) throws IOException {
        context.response().write("overridden");
      }
    }

    @Route("/")
    public static final class AtRoot {
      @Route("/chat")
      public void chat(HttpContext context) throws IOException {
        context.response().write("chat");
      }
    }

    @Test
    void aMethodAnswersItsPathWithAnyMethod() {
      application.mapControllers(new Plain());
      assertThat(body("GET", "/any")).isEqualTo("any");
      assertThat(body("CONNECT", "/any")).isEqualTo("any");
    }

    @Test
    void aMethodAnswersTheMethodsThatItNames() {
      application.mapControllers(new Plain());
      assertThat(body("POST", "/some/7")).isEqualTo("some 7");
      assertThat(body("PUT", "/some/7")).isEqualTo("405");
    }

    @Test
    void theClassHasThePrefixAndTheMethodsOfTheOthers() {
      application.mapControllers(new Prefixed());
      assertThat(body("GET", "/api")).isEqualTo("root");
      assertThat(body("POST", "/api")).isEqualTo("405");
      assertThat(body("POST", "/api/some/7")).isEqualTo("some 7");
    }

    @Test
    void anOverridingMethodHasItsOwnRoute() {
      application.mapControllers(new Prefixed());
      assertThat(body("GET", "/api/overridden")).isEqualTo("overridden");
      assertThat(body("GET", "/api/any")).isEqualTo("404");
    }

    @Test
    void aPrefixMayEndInASlash() {
      application.mapControllers(new AtRoot(), new Plain());
      assertThat(body("GET", "/chat")).isEqualTo("chat");
      assertThat(body("GET", "/any")).isEqualTo("any");
    }
  }

  @Nested
  class Failing {
    public static final class Thrower {
      @Route("/fail")
      public void fail(HttpContext context) throws IOException {
        if (context.request().query().get("teapot") != null) {
          throw new HttpException(418, "a teapot");
        }
        throw new IOException("no luck");
      }
    }

    @Test
    void whatAMethodThrowsComesOutAsItIs() {
      application.mapControllers(new Thrower());
      assertThat(body("GET", "/fail?teapot")).isEqualTo("418");
      assertThat(body("GET", "/fail")).isEqualTo("500");
      assertThat(log.take())
          .contains("java.io.IOException: no luck", "Thrower.fail(ControllersTest.java")
          .doesNotContain("InvocationTargetException", "Caused by", "jdk.internal");
    }
  }

  @Nested
  class AtStart {
    private static final String TYPE = "dev.windhover.http.ControllersTest$AtStart$";

    static final class None {
      public void get(HttpContext context) {
        context.abort();
      }
    }

    static final class Hidden {
      @Route("/")
      void get(HttpContext context) {
        context.abort();
      }
    }

    static final class HiddenBelow extends HiddenAbove {}

    static class HiddenAbove {
      @Route("/")
      protected void get(HttpContext context) {
        context.abort();
      }
    }

    static final class NoContext {
      @Route("/")
      public void get() {}
    }

    static final class TooMuch {
      @Route("/")
      public void get(HttpContext context, String name) {
        context.items().put(name, name);
      }
    }

    static final class Static {
      @Route("/")
      public static void get(HttpContext context) {
        context.abort();
      }
    }

    private void assertRefused(Object controller, String message) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> application.mapControllers(controller))
          .withMessage(message);
    }

    @Test
    void aControllerHasARoute() {
      assertRefused(new None(), "controller " + TYPE + "None has no method with @Route");
    }

    @Test
    void aControllerIsAnObject() {
      assertRefused(
          None.class,
          "a controller is an object: pass an instance of " + TYPE + "None, not the class");
    }

    @Test
    void aMethodIsPublic() {
      assertRefused(
          new Hidden(), "controller method " + TYPE + "Hidden.get has @Route but is not public");
      assertRefused(
          new HiddenBelow(),
          "controller method " + TYPE + "HiddenAbove.get has @Route but is not public");
    }

    @Test
    void aMethodTakesTheContext() {
      String wanted = " has @Route but is not declared as: public void get(HttpContext context)";
      assertRefused(new NoContext(), "controller method " + TYPE + "NoContext.get" + wanted);
      assertRefused(new TooMuch(), "controller method " + TYPE + "TooMuch.get" + wanted);
      assertRefused(new Static(), "controller method " + TYPE + "Static.get" + wanted);
    }
  }

  /** A controller in a module of its own, whose {@code module-info} decides. */
  @Nested
  class InAModule {
    private static final PackageDesc PACKAGE = PackageDesc.of("com.acme.web");
    private static final ModuleDesc US = ModuleDesc.of("dev.windhover.http");

    @TempDir Path folder;

    private Object controller(String name, int flags, Consumer<ModuleAttributeBuilder> directives)
        throws ReflectiveOperationException {
      Class<?> factory =
          new TestModule(folder.resolve("acme"))
              .controller(name, flags)
              .factory(name)
              .fromModulePath(
                  "com.acme.Factory",
                  false,
                  module -> {
                    module.exports(PackageDesc.of("com.acme"), 0);
                    directives.accept(module);
                  });
      return ((Supplier<?>) factory.getConstructor().newInstance()).get();
    }

    @ParameterizedTest
    @ValueSource(strings = {"exports", "exports to", "opens", "opens to"})
    void anExportedOrOpenedPackageIsEnough(String directive) throws Exception {
      Object controller =
          controller(
              "com.acme.web.Echo",
              ACC_PUBLIC,
              module -> {
                switch (directive) {
                  case "exports" -> module.exports(PACKAGE, 0);
                  case "exports to" -> module.exports(PACKAGE, 0, US);
                  case "opens" -> module.opens(PACKAGE, 0);
                  default -> module.opens(PACKAGE, 0, US);
                }
              });
      application.mapControllers(controller);
      assertThat(body("GET", "/acme")).isEqualTo("299");
    }

    @Test
    void anotherPackageIsNamed() throws Exception {
      Object controller = controller("com.acme.web.Echo", ACC_PUBLIC, module -> {});
      assertThatIllegalArgumentException()
          .isThrownBy(() -> application.mapControllers(controller))
          .withMessage(
              "controller method com.acme.web.Echo.get has @Route, but its package com.acme.web is"
                  + " neither exported nor opened to dev.windhover.http: write"
                  + " \"opens com.acme.web to dev.windhover.http;\" into module-info.java of com.acme");
    }

    @Test
    void aClassThatIsNotPublicNeedsAnOpenedPackage() throws Exception {
      Object controller = controller("com.acme.Echo", 0, module -> {});
      assertThatIllegalArgumentException()
          .isThrownBy(() -> application.mapControllers(controller))
          .withMessage(
              "controller method com.acme.Echo.get has @Route, but its class is not public and its"
                  + " package com.acme is not opened to dev.windhover.http: write"
                  + " \"opens com.acme to dev.windhover.http;\" into module-info.java of com.acme");
    }
  }
}
