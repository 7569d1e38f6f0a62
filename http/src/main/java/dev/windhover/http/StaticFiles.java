package dev.windhover.http;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Answers GET and HEAD with the files of a folder, wherever one fits the path; everything else goes
 * on to what stands behind. A path that ends in {@code /} means the {@code index.html} there.
 * Nothing outside the folder is reached, not by a symbolic link either, no folder is listed, and
 * files and folders whose names begin with a dot are not served, {@code .well-known} aside.
 */
public final class StaticFiles implements Middleware {
  private static final String INDEX = "index.html";

  /** Where files come from. */
  interface Source {
    /** Returns the file of that name, relative and checked, or null. */
    @Nullable Content find(String name) throws IOException;
  }

  /** A file that was found. */
  interface Content {
    /** Returns the number of bytes. */
    long length();

    /** Writes them as the body. */
    void writeTo(HttpResponse response) throws IOException;
  }

  private final Source source;
  private final String prefix;

  private StaticFiles(Source source, String prefix) {
    this.source = source;
    this.prefix = prefix;
  }

  /**
   * Serves the files below {@code folder}, which may change while they are served.
   *
   * @throws IllegalArgumentException if there is no such folder
   */
  public static StaticFiles fromFolder(Path folder) {
    return new StaticFiles(new FolderSource(folder), "/");
  }

  /**
   * Serves the resources below {@code folder} of the module of {@code anchor}, or on its class
   * path. A module need not open or export the folder. Each is read into memory for each answer:
   * this is for the pages of a program, not for films.
   *
   * @param folder separated by {@code /}, as {@code wwwroot}
   */
  public static StaticFiles fromClassPath(Class<?> anchor, String folder) {
    return new StaticFiles(ClassPathSource.of(anchor, folder), "/");
  }

  /**
   * Returns the same files below {@code path} instead of {@code /}.
   *
   * @param path as {@code /assets}
   */
  public StaticFiles at(String path) {
    if (!path.startsWith("/")) {
      throw new IllegalArgumentException("path \"" + path + "\" does not begin with /");
    }
    return new StaticFiles(source, path.endsWith("/") ? path : path + "/");
  }

  @Override
  public boolean isNonBlocking() {
    return true;
  }

  @Override
  public void handle(HttpContext context, Handler next) throws Exception {
    String name = nameFor(context.request());
    Content content = name == null ? null : source.find(name);
    if (name == null || content == null) {
      next.handle(context);
      return;
    }
    HttpResponse response = context.response();
    response.contentType(ContentTypes.of(name)).contentLength(content.length());
    response.headers().set("X-Content-Type-Options", "nosniff");
    content.writeTo(response);
  }

  /** Returns the name of the file that {@code request} asks for, or null if it cannot be one. */
  private @Nullable String nameFor(HttpRequest request) {
    boolean reads = request.method().equals("GET") || request.method().equals("HEAD");
    if (!reads || !request.path().startsWith(prefix)) {
      return null;
    }
    String name = request.path().substring(prefix.length());
    if (name.isEmpty() || name.endsWith("/")) {
      name += INDEX;
    }
    return isPlain(name) ? name : null;
  }

  /** Returns whether {@code name} can only mean something below the folder, on any file system. */
  private static boolean isPlain(String name) {
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      if (c < ' ' || c == '\\' || c == ':' || c == 0x7F) {
        return false;
      }
    }
    for (String segment : name.split("/", -1)) {
      if (segment.isEmpty() || (segment.startsWith(".") && !segment.equals(".well-known"))) {
        return false;
      }
    }
    return true;
  }
}
