package dev.windhover.http.files;

import static java.lang.classfile.ClassFile.ACC_PUBLIC;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.windhover.http.Application;
import dev.windhover.http.CapturedLog;
import dev.windhover.http.TestExchange;
import dev.windhover.http.TestModule;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Objects;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StaticFilesTest {
  @RegisterExtension final CapturedLog log = new CapturedLog();

  @TempDir Path outside;
  private Path root;

  @BeforeEach
  void makeFolder() throws IOException {
    root = Files.createDirectory(outside.resolve("wwwroot"));
    write("../secret.txt", "secret");
    write("../wwwroot-old/secret.txt", "secret");
    write("index.html", "<h1>root");
    write("docs/index.html", "<h1>docs");
    write("docs/a b.txt", "spaced");
    write("empty/.keep", "");
    write("empty.txt", "");
    write(".env", "secret");
    write(".git/config", "secret");
    write(".well-known/security.txt", "well known");
  }

  private Path write(String name, String text) throws IOException {
    Path file = root.resolve(name);
    Files.createDirectories(Objects.requireNonNull(file.getParent()));
    return Files.writeString(file, text);
  }

  private TestExchange send(String method, String target) {
    return TestExchange.of(method, target)
        .through(new Application().use(StaticFiles.fromFolder(root)));
  }

  private TestExchange get(String target) {
    return send("GET", target);
  }

  private void assertMissed(String target) {
    TestExchange sent = get(target);
    assertThat(sent.status()).isEqualTo(404);
    assertThat(sent.sentText()).isEqualTo("not found\n");
    assertThat(sent.sentHeader("X-Content-Type-Options")).isNull();
  }

  @Nested
  class Folders {
    @ParameterizedTest
    @CsvSource({
      "/, <h1>root",
      "/index.html, <h1>root",
      "/docs/, <h1>docs",
      "/docs/a%20b.txt, spaced",
      "/docs/../index.html?v=1, <h1>root",
      "/.well-known/security.txt, well known",
      "/empty.txt, ''",
    })
    void aFileAnswersItsPath(String target, String text) {
      TestExchange sent = get(target);
      assertThat(sent.status()).isEqualTo(200);
      assertThat(sent.sentText()).isEqualTo(text);
      assertThat(sent.sentContentLength()).isEqualTo(text.length());
      assertThat(sent.sentHeader("X-Content-Type-Options")).isEqualTo("nosniff");
    }

    @Test
    void aFileIsSentWithoutHoldingItAndWithoutAThread() throws IOException {
      write("film.mp4", "x".repeat(100_000));
      TestExchange sent = get("/film.mp4");
      assertThat(sent.sentBytes()).hasSize(100_000);
      assertThat(sent.filesWritten()).isEqualTo(1);
      assertThat(sent.hadThread()).isFalse();
    }

    @Test
    void headHasTheHeadersOfGetAlone() throws IOException {
      // A new file's tag is weak for 2 s, and might change between the two.
      Files.setLastModifiedTime(root.resolve("index.html"), FileTime.fromMillis(0));
      TestExchange sent = send("HEAD", "/");
      assertThat(sent.status()).isEqualTo(200);
      assertThat(sent.sentHeaders()).isEqualTo(get("/").sentHeaders());
      assertThat(sent.sentContentLength()).isEqualTo(8);
      assertThat(sent.filesWritten()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"POST", "PUT", "DELETE", "OPTIONS", "CONNECT"})
    void otherMethodsGoOn(String method) {
      assertThat(send(method, "/").status()).isEqualTo(404);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/other", "/docs/x/", "/docs/x", "/empty/", "/empty", "/index.html/"})
    void aMissGoesOn(String target) {
      assertMissed(target);
    }

    @Test
    void aFileGoesBeforeTheRouteThatStandsBehind() {
      Application application =
          new Application()
              .use(StaticFiles.fromFolder(root))
              .mapGet("/{*rest}", context -> context.response().write("route"));
      assertThat(TestExchange.get("/").through(application).sentText()).isEqualTo("<h1>root");
      assertThat(TestExchange.get("/other").through(application).sentText()).isEqualTo("route");
    }

    @Test
    void aFileMayComeLater() throws IOException {
      Application application = new Application().use(StaticFiles.fromFolder(root));
      assertThat(TestExchange.get("/new.txt").through(application).status()).isEqualTo(404);
      write("new.txt", "new");
      assertThat(TestExchange.get("/new.txt").through(application).sentText()).isEqualTo("new");
    }

    @ParameterizedTest
    @CsvSource({
      "/assets/, <h1>root",
      "/assets/docs/, <h1>docs",
      "/assets, 301",
      "/, 404",
      "/assetsindex.html, 404",
      "/assets/../index.html, 404",
    })
    void aPrefixIsTakenOff(String target, String expected) {
      for (String prefix : new String[] {"/assets", "/assets/"}) {
        TestExchange sent =
            TestExchange.get(target)
                .through(new Application().use(StaticFiles.fromFolder(root).at(prefix)));
        assertThat(sent.status() == 200 ? sent.sentText() : "" + sent.status()).isEqualTo(expected);
      }
    }

    @ParameterizedTest
    @CsvSource({
      "/docs, /docs/",
      "/docs?a=b%2F&c=//d, /docs/?a=b%2F&c=//d",
      "/docs?, /docs/?",
      "/x/../docs, /docs/",
      "/x/..//docs, ",
      "//docs, ",
      "/%2Fdocs, ",
      "/docs%2F, ",
      "/%64ocs, /docs/",
      "/a%20%25%3Fb%c3%a9%22, /a%20%25%3Fb%C3%A9%22/",
      "http://localhost/docs?x, /docs/?x",
    })
    void aFoldersPageIsAtItsSlash(String target, @Nullable String location) throws IOException {
      write("a %?b\u00e9\"/index.html", "spaced");
      for (String method : new String[] {"GET", "HEAD"}) {
        TestExchange sent = send(method, target);
        assertThat(sent.status()).isEqualTo(location == null ? 404 : 301);
        assertThat(sent.sentHeader("Location")).isEqualTo(location);
      }
    }

    @Test
    void aPrefixIsAFolderToo() {
      Application application = new Application().use(StaticFiles.fromFolder(root).at("/assets"));
      TestExchange sent = TestExchange.get("/assets?a").through(application);
      assertThat(sent.status()).isEqualTo(301);
      assertThat(sent.sentHeader("Location")).isEqualTo("/assets/?a");
      TestExchange below = TestExchange.get("/assets/docs").through(application);
      assertThat(below.sentHeader("Location")).isEqualTo("/assets/docs/");
    }

    @Test
    void aSocketsHandshakeIsNotRedirected() {
      Application application =
          new Application()
              .use(StaticFiles.fromFolder(root))
              .mapGet("/docs", context -> context.response().write("route"));
      TestExchange sent =
          TestExchange.get("/docs").header("Upgrade", "websocket").through(application);
      assertThat(sent.sentText()).isEqualTo("route");
    }

    @Test
    void theFolderHasToBeThere() {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> StaticFiles.fromFolder(root.resolve("other")))
          .withMessage("folder " + root.resolve("other") + " does not exist");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> StaticFiles.fromFolder(root.resolve("index.html")))
          .withMessageEndingWith("index.html is not a folder");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> StaticFiles.fromFolder(root).at("assets"))
          .withMessage("path \"assets\" does not begin with /");
    }
  }

  @Nested
  class Attacks {
    @ParameterizedTest
    @ValueSource(
        strings = {
          "/../secret.txt",
          "/docs/../../secret.txt",
          "/%2e%2e/secret.txt",
          "/..%2fsecret.txt",
          "/..%2Fsecret.txt",
          "/%2e%2e%2fsecret.txt",
          "/docs/..%2f..%2fsecret.txt",
          "/..%5csecret.txt",
          "/..%5Csecret.txt",
          "/docs/..%5c..%5csecret.txt",
          "/%252e%252e/secret.txt",
          "/..%252fsecret.txt",
          "/....//secret.txt",
          "/..;/secret.txt",
          "/../wwwroot-old/secret.txt",
          "/.env",
          "/%2eenv",
          "/.git/config",
          "/docs/../.git/config",
          "/empty/.keep",
          "//index.html",
          "/docs//index.html",
          "/docs%2findex.html",
          "/docs%5cindex.html",
          "/C:/Windows/win.ini",
          "/c%3a%5cwindows%5cwin.ini",
          "/index.html::$DATA",
          "/index.html%0a",
          "/index.html%1f",
          "/index.html%7f",
          "/index.html%20",
          "/index.html.",
          "/INDEX.html/..%2f",
        })
    void nothingElseIsReached(String target) {
      assertMissed(target);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/%2Fsecret.txt", "/%2F%2Fsecret.txt", "/%2F..%2Fsecret.txt"})
    void anAbsolutePathIsNone(String target) {
      assertMissed(target);
    }

    @Test
    void theFoldersOwnAbsolutePathIsNone() {
      assertMissed("/" + outside.resolve("secret.txt"));
      assertMissed(outside.resolve("secret.txt").toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"/index.html%00", "/secret.txt%00.html", "/%00"})
    void aNulIsMalformed(String target) {
      assertThat(get(target).status()).isEqualTo(400);
    }

    @Test
    void anEncodedSlashIsInNoName() throws IOException {
      write("a%2Fb.txt", "a%2Fb");
      write("a%252Fb.txt", "a%252Fb");
      write("folder%2F/index.html", "folder");
      assertMissed("/a%2Fb.txt");
      assertMissed("/a%2fb.txt");
      assertThat(get("/a%252Fb.txt").sentText()).isEqualTo("a%2Fb");
      assertThat(get("/a%25252Fb.txt").sentText()).isEqualTo("a%252Fb");
      assertMissed("/docs%252Findex.html");
      assertMissed("/folder%2F");
      assertThat(get("/folder%252F").sentHeader("Location")).isEqualTo("/folder%252F/");
      assertThat(get("/folder%252F/").sentText()).isEqualTo("folder");
    }

    @Test
    void anEndlessNameIsAMiss() {
      assertMissed("/" + "a".repeat(5000));
      assertMissed("/" + "a/".repeat(3000));
    }

    /**
     * Linux has them all as names; elsewhere they separate, name a drive or a stream, or nothing.
     */
    @ParameterizedTest
    @ValueSource(chars = {'\\', ':', '\n', '\u001f', '\u007f'})
    void aNameThatMeansMoreElsewhereIsAMiss(char c) throws IOException {
      write("a" + c + "b.txt", "x");
      assertMissed("/a%%%02xb.txt".formatted((int) c));
    }

    @Test
    void aLinkThatLeadsOutsideIsAMiss() throws IOException {
      Files.createSymbolicLink(root.resolve("file.txt"), outside.resolve("secret.txt"));
      Files.createSymbolicLink(root.resolve("folder"), outside);
      Files.createSymbolicLink(root.resolve("neighbour"), outside.resolve("wwwroot-old"));
      assertMissed("/file.txt");
      assertMissed("/folder/secret.txt");
      assertMissed("/neighbour/secret.txt");
    }

    @Test
    void aLinkThatStaysInsideIsFollowed() throws IOException {
      Files.createSymbolicLink(root.resolve("start.html"), Path.of("index.html"));
      assertThat(get("/start.html").sentText()).isEqualTo("<h1>root");
    }

    @Test
    void aLinkThatGoesInCirclesIsAMiss() throws IOException {
      Files.createSymbolicLink(root.resolve("circle"), Path.of("circle"));
      assertMissed("/circle");
      assertMissed("/circle/index.html");
    }

    @Test
    void theFolderItselfMayBeALink() throws IOException {
      Path link = Files.createSymbolicLink(outside.resolve("link"), root);
      TestExchange sent =
          TestExchange.get("/").through(new Application().use(StaticFiles.fromFolder(link)));
      assertThat(sent.sentText()).isEqualTo("<h1>root");
    }
  }

  @Nested
  class Types {
    @ParameterizedTest
    @CsvSource({
      "a.html, text/html; charset=utf-8",
      "a.css, text/css; charset=utf-8",
      "a.js, text/javascript; charset=utf-8",
      "a.mjs, text/javascript; charset=utf-8",
      "a.txt, text/plain; charset=utf-8",
      "a.xml, text/xml; charset=utf-8",
      "a.json, application/json",
      "a.js.map, application/json",
      "a.svg, image/svg+xml",
      "a.png, image/png",
      "a.jpg, image/jpeg",
      "a.JPEG, image/jpeg",
      "a.gif, image/gif",
      "a.webp, image/webp",
      "a.avif, image/avif",
      "a.ico, image/x-icon",
      "a.woff2, font/woff2",
      "a.wasm, application/wasm",
      "a.pdf, application/pdf",
      "a.mp4, video/mp4",
      "a.unknown, application/octet-stream",
      "html, application/octet-stream",
      "a., application/octet-stream",
    })
    void theNamesEndingTellsTheType(String name, String type) throws IOException {
      write(name, "x");
      assertThat(get("/" + name).sentHeader("Content-Type")).isEqualTo(type);
    }

    @Test
    void aFoldersDotIsNoEnding() throws IOException {
      write("a.js/file", "x");
      assertThat(get("/a.js/file").sentHeader("Content-Type"))
          .isEqualTo("application/octet-stream");
    }
  }

  /**
   * Resources of a third-party module or jar, from a folder whose name is a package name, and from
   * another.
   */
  @Nested
  class Resources {
    private static final String LARGE = "windhover ".repeat(5000);

    private Application serving(String folder, boolean asModule, boolean asJar) {
      TestModule acme =
          new TestModule(outside.resolve("acme"))
              .controller("com.acme.Anchor", ACC_PUBLIC)
              .resource("secret.txt", "secret")
              .resource(folder + "/index.html", "<h1>root")
              .resource(folder + "/docs/index.html", "<h1>docs")
              .resource(folder + "/css/site.css", LARGE)
              .resource(folder + "/.env", "secret");
      Class<?> anchor =
          asModule
              ? acme.fromModulePath("com.acme.Anchor", asJar, module -> {})
              : acme.fromClassPath("com.acme.Anchor", asJar);
      assertThat(anchor.getModule().isNamed()).isEqualTo(asModule);
      return new Application().use(StaticFiles.fromClassPath(anchor, folder));
    }

    @ParameterizedTest
    @CsvSource({
      "wwwroot, true, true",
      "wwwroot, true, false",
      "wwwroot, false, true",
      "wwwroot, false, false",
      "META-INF/web, true, true",
      "META-INF/web, false, true",
    })
    void areServedFromModulesAndClassPathsJarsAndFolders(
        String folder, boolean asModule, boolean asJar) {
      Application application = serving(folder, asModule, asJar);
      TestExchange page = TestExchange.get("/").through(application);
      assertThat(page.sentText()).isEqualTo("<h1>root");
      assertThat(page.sentHeader("Content-Type")).isEqualTo("text/html; charset=utf-8");
      assertThat(TestExchange.get("/docs/").through(application).sentText()).isEqualTo("<h1>docs");

      TestExchange large = TestExchange.get("/css/site.css").through(application);
      assertThat(large.sentText()).isEqualTo(LARGE);
      assertThat(large.sentContentLength()).isEqualTo(LARGE.length());
      TestExchange head = TestExchange.of("HEAD", "/css/site.css").through(application);
      assertThat(head.sentContentLength()).isEqualTo(LARGE.length());
    }

    @ParameterizedTest
    @CsvSource({"true, true", "true, false", "false, true", "false, false"})
    void nothingElseIsReached(boolean asModule, boolean asJar) {
      Application application = serving("wwwroot", asModule, asJar);
      for (String target :
          new String[] {
            "/docs/x/",
            "/css",
            "/css/",
            "/other",
            "/.env",
            "/../secret.txt",
            "/..%2fsecret.txt",
            "/..%5csecret.txt",
            "/%252e%252e/secret.txt",
            "//secret.txt",
            "/%2Fsecret.txt",
            "/com/acme/Anchor.class",
            "/file:",
            "/index.html?x#",
            "/index.html/",
            "/index.html!/",
            "/META-INF/MANIFEST.MF",
            "/module-info.class",
          }) {
        TestExchange sent = TestExchange.get(target).through(application);
        assertThat(sent.status()).as(target).isIn(400, 404);
      }
    }

    @Test
    void theFolderIsRelative() {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> StaticFiles.fromClassPath(StaticFilesTest.class, "/wwwroot"))
          .withMessage("folder \"/wwwroot\" begins with /");
    }

    /** The whole class path would be all classes and every {@code application.properties}. */
    @ParameterizedTest
    @ValueSource(strings = {"", "../wwwroot", "a/../b", "a//b", ".", "a\\b", "file:a"})
    void theFolderIsOne(String folder) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> StaticFiles.fromClassPath(StaticFilesTest.class, folder))
          .withMessage("folder \"" + folder + "\" is not a valid name");
    }

    @ParameterizedTest
    @CsvSource({"true, true", "true, false", "false, true", "false, false"})
    void areRangedRedirectedAndConditionalAsFilesAre(boolean asModule, boolean asJar) {
      Application application = serving("wwwroot", asModule, asJar);
      TestExchange moved = TestExchange.get("/docs?a=b").through(application);
      assertThat(moved.status()).isEqualTo(301);
      assertThat(moved.sentHeader("Location")).isEqualTo("/docs/?a=b");

      TestExchange part =
          TestExchange.get("/css/site.css").header("Range", "bytes=10-18").through(application);
      assertThat(part.status()).isEqualTo(206);
      assertThat(part.sentText()).isEqualTo("windhover");
      assertThat(part.sentHeader("Content-Range")).isEqualTo("bytes 10-18/50000");

      String tag = Objects.requireNonNull(part.sentHeader("ETag"));
      TestExchange again =
          TestExchange.get("/css/site.css").header("If-None-Match", tag).through(application);
      assertThat(again.status()).isEqualTo(304);
      String date = Objects.requireNonNull(part.sentHeader("Last-Modified"));
      TestExchange later =
          TestExchange.get("/css/site.css").header("If-Modified-Since", date).through(application);
      assertThat(later.status()).isEqualTo(304);
    }

    @Test
    void areTaggedByTheirContentInAnArchive() {
      Application application = serving("wwwroot", false, true);
      TestExchange sent = TestExchange.get("/").through(application);
      // The first half of the SHA-256 of "<h1>root".
      assertThat(sent.sentHeader("ETag")).isEqualTo("\"d9d126ade197d7652d0243d5af7a62c3\"");
    }

    @ParameterizedTest
    @ValueSource(ints = {64 * 1024, 64 * 1024 + 1, 1_000_000})
    void areHeldInMemoryOnlyIfTheyAreSmall(int length) throws IOException {
      String text = "0123456789".repeat(length / 10 + 1).substring(0, length);
      TestModule acme =
          new TestModule(outside.resolve("acme"))
              .controller("com.acme.Anchor", ACC_PUBLIC)
              .resource("wwwroot/a.txt", text);
      Application application =
          new Application()
              .use(
                  StaticFiles.fromClassPath(
                      acme.fromClassPath("com.acme.Anchor", true), "wwwroot"));
      for (int i = 0; i < 2; i++) {
        TestExchange sent = TestExchange.get("/a.txt").through(application);
        assertThat(sent.sentText()).isEqualTo(text);
        assertThat(sent.filesWritten()).isEqualTo(length > 64 * 1024 ? 1 : 0);
      }
    }

    @Test
    void haveNoVariantsFromOtherArchives() throws Exception {
      Path[] jars = new Path[2];
      String[] names = {"wwwroot/app.js", "wwwroot/app.js.gz"};
      for (int i = 0; i < 2; i++) {
        jars[i] = outside.resolve(i + ".jar");
        try (JarOutputStream jar = new JarOutputStream(Files.newOutputStream(jars[i]))) {
          jar.putNextEntry(new JarEntry(names[i]));
          jar.write('x');
          jar.closeEntry();
        }
      }
      Path acme = outside.resolve("acme");
      new TestModule(acme).controller("com.acme.Anchor", ACC_PUBLIC);
      URL[] urls = {acme.toUri().toURL(), jars[0].toUri().toURL(), jars[1].toUri().toURL()};
      try (URLClassLoader loader = new URLClassLoader(urls, getClass().getClassLoader())) {
        Class<?> anchor = loader.loadClass("com.acme.Anchor");
        Application application =
            new Application().use(StaticFiles.fromClassPath(anchor, "wwwroot"));
        TestExchange sent =
            TestExchange.get("/app.js").header("Accept-Encoding", "gzip").through(application);
        assertThat(sent.sentHeader("Content-Encoding")).isNull();
        assertThat(sent.sentText()).isEqualTo("x");
        assertThat(TestExchange.get("/app.js.gz").through(application).status()).isEqualTo(200);
      }
    }

    @ParameterizedTest
    @CsvSource({"true", "false"})
    void haveVariantsFromTheirOwn(boolean asJar) throws IOException {
      TestModule acme =
          new TestModule(outside.resolve("acme"))
              .controller("com.acme.Anchor", ACC_PUBLIC)
              .resource("wwwroot/app.js", "plain")
              .resource("wwwroot/app.js.gz", "gzipped");
      Application application =
          new Application()
              .use(
                  StaticFiles.fromClassPath(
                      acme.fromModulePath("com.acme.Anchor", asJar, module -> {}), "wwwroot"));
      TestExchange sent =
          TestExchange.get("/app.js").header("Accept-Encoding", "gzip").through(application);
      assertThat(sent.sentText()).isEqualTo("gzipped");
      assertThat(sent.sentHeader("Content-Encoding")).isEqualTo("gzip");
      assertThat(sent.sentHeader("Content-Type")).isEqualTo("text/javascript; charset=utf-8");
    }
  }
}
