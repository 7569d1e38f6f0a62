package dev.windhover.http.files;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.windhover.http.Handler;
import dev.windhover.http.Headers;
import dev.windhover.http.HttpContext;
import dev.windhover.http.HttpRequest;
import dev.windhover.http.HttpResponse;
import dev.windhover.http.Middleware;
import dev.windhover.http.files.ByteRanges.ByteRange;
import dev.windhover.http.files.StaticContent.Variants;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Answers GET and HEAD with the files of a folder if one matches the path; every other request goes
 * on to the next step. A path that ends in {@code /} means the {@code index.html} there; the same
 * path without the {@code /} is redirected to it with 301, with its query. Nothing outside the
 * folder can be reached, not even by a symbolic link. Folders are never listed. Files and folders
 * whose names begin with a dot are not served, except {@code .well-known}.
 *
 * <p><b>Conditions</b> (RFC 9110 13). Every file has {@code Last-Modified} and a strong {@code
 * ETag}. A client that asks again with {@code If-None-Match} or {@code If-Modified-Since} may be
 * answered with 304, and one that uses {@code If-Match} or {@code If-Unmodified-Since} with 412. A
 * file's tag is made of its modification time, to the nanosecond, and its length. In the first 2
 * seconds after the file was written, the tag is weak, because the file may be written again within
 * one tick of its clock. The tag of a resource in an archive is a hash of its content, and its time
 * is that of its first request.
 *
 * <p><b>Ranges</b> (RFC 9110 14). One range is answered with 206, and up to 16 ranges that do not
 * overlap as {@code multipart/byteranges}. If the file has none of the ranges, the answer is 416. A
 * header that is malformed or requests more ranges is ignored. A range always refers to the file
 * itself, never to a compressed variant.
 *
 * <p><b>Variants</b> (RFC 9110 12.5.3). If {@code app.js.br} or {@code app.js.gz} exists beside
 * {@code app.js} and is not older, it is sent to clients that accept it, and Brotli is preferred to
 * gzip for clients that accept both equally. A variant has a tag of its own.
 *
 * <p>A file is sent with the length that it had when the server decided how to answer. If it is
 * truncated in the meantime, the connection is cut. Replace a file by renaming another file to it,
 * not by overwriting it.
 */
public final class StaticFiles implements Middleware {
  private static final String INDEX = "index.html";

  /** Where files come from. */
  interface Source {
    /** Returns the file of that relative, {@linkplain #isPlain plain} name, or null. */
    @Nullable Variants find(String name, Instant now) throws IOException;
  }

  private final Source source;
  private final String prefix;

  private StaticFiles(Source source, String prefix) {
    this.source = source;
    this.prefix = prefix;
  }

  /**
   * Serves the files below {@code folder}, which may change while they are served. On unencrypted
   * connections the operating system sends them, without holding them in memory.
   *
   * @throws IllegalArgumentException if there is no such folder
   */
  public static StaticFiles fromFolder(Path folder) {
    return new StaticFiles(new FolderSource(folder), "/");
  }

  /**
   * Serves the resources below {@code folder} of the module of {@code anchor}, or on its class
   * path. A module need not open or export the folder. Resources in an archive are read once. Up to
   * 64 KiB each and 8 MiB in total, they are kept in memory; the others are kept in temporary
   * files, which are deleted when the program ends.
   *
   * @param folder separated by {@code /}, for example {@code wwwroot}
   * @throws IllegalArgumentException if {@code folder} is empty, begins with {@code /} or has a
   *     segment that begins with a dot
   */
  public static StaticFiles fromClassPath(Class<?> anchor, String folder) {
    return new StaticFiles(ClassPathSource.of(anchor, folder), "/");
  }

  /**
   * Returns the same files, served below {@code path} instead of {@code /}.
   *
   * @param path for example {@code /assets}
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
    HttpRequest request = context.request();
    String path = request.path();
    String name = nameFor(request.method(), path);
    Variants found = name == null ? null : source.find(name, context.now());
    if (name != null && found != null) {
      answer(request, context.response(), ContentTypes.of(name), found);
      return;
    }
    String index = path.endsWith("/") ? null : nameFor(request.method(), path + "/");
    // A WebSocket handshake does not ask for a page, although it is a GET.
    boolean isHandshake = request.headers().hasToken("Upgrade", "websocket");
    if (index != null && !isHandshake && source.find(index, context.now()) != null) {
      redirect(request, context.response(), path + "/");
      return;
    }
    next.handle(context);
  }

  /** Returns the name of the requested file, or null if it cannot be a file. */
  private @Nullable String nameFor(String method, String path) {
    boolean reads = method.equals("GET") || method.equals("HEAD");
    if (!reads || !path.startsWith(prefix)) {
      return null;
    }
    String name = path.substring(prefix.length());
    if (name.isEmpty() || name.endsWith("/")) {
      name += INDEX;
    }
    boolean hasSlash = name.contains("%2F"); // which no name has
    return hasSlash || !isPlain(name) ? null : decoded(name);
  }

  /** Decodes what is encoded in {@link HttpRequest#path} beside slashes. */
  private static String decoded(String path) {
    return path.replace("%25", "%");
  }

  /**
   * Returns whether {@code name} can only refer to something below the folder, on any file system.
   */
  static boolean isPlain(String name) {
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

  private static void redirect(HttpRequest request, HttpResponse response, String path) {
    int question = request.target().indexOf('?');
    String query = question < 0 ? "" : request.target().substring(question);
    response.status(301).headers().set("Location", encoded(decoded(path)) + query);
  }

  /**
   * Encodes the characters of a path, except those that may stand for themselves (RFC 3986 3.3).
   */
  private static String encoded(String path) {
    StringBuilder encoded = new StringBuilder(path.length() + 8);
    for (byte b : path.getBytes(UTF_8)) {
      boolean isItself =
          (b >= 'a' && b <= 'z')
              || (b >= 'A' && b <= 'Z')
              || (b >= '0' && b <= '9')
              || "-._~!$&'()*+,;=@/".indexOf(b) >= 0;
      encoded.append(isItself ? (char) b : "%%%02X".formatted(b));
    }
    return encoded.toString();
  }

  private static void answer(
      HttpRequest request, HttpResponse response, String type, Variants variants)
      throws IOException {
    boolean asksForRange = request.method().equals("GET") && request.headers().contains("Range");
    StaticContent content = asksForRange ? variants.plain() : variants.select(request.headers());
    Headers headers = response.headers();
    headers.set("X-Content-Type-Options", "nosniff");
    headers.set("ETag", content.tag().toString());
    if (!variants.coded().isEmpty()) {
      headers.add("Vary", "Accept-Encoding");
    }
    switch (Preconditions.evaluate(request.headers(), content.tag(), content.lastModified())) {
      case FAILED -> response.status(412).write("precondition failed\n");
      case NOT_MODIFIED -> response.status(304);
      case MET -> {
        headers.set("Last-Modified", HttpDate.format(content.lastModified()));
        if (content.coding() == null) {
          headers.set("Accept-Ranges", "bytes");
        } else {
          headers.set("Content-Encoding", content.coding());
        }
        List<ByteRange> ranges = asksForRange ? ranges(request.headers(), content) : null;
        writeRanges(response, type, content, ranges);
      }
    }
  }

  private static @Nullable List<ByteRange> ranges(Headers headers, StaticContent content) {
    return Preconditions.allowRange(headers, content.tag(), content.lastModified())
        ? ByteRanges.parse(headers.all("Range"), content.length())
        : null;
  }

  /** Writes {@code ranges} of {@code content}, or all of it if they are null. */
  private static void writeRanges(
      HttpResponse response, String type, StaticContent content, @Nullable List<ByteRange> ranges)
      throws IOException {
    long length = content.length();
    if (ranges == null) {
      response.contentType(type).contentLength(length);
      content.body().write(response, 0, length);
    } else if (ranges.isEmpty()) {
      response.headers().set("Content-Range", "bytes */" + length);
      response.status(416).write("range not satisfiable\n");
    } else if (ranges.size() == 1) {
      ByteRange range = ranges.getFirst();
      response.status(206).contentType(type).contentLength(range.length());
      response.headers().set("Content-Range", range.of(length));
      content.body().write(response, range.first(), range.length());
    } else {
      writeParts(response, type, content, ranges);
    }
  }

  /** Writes several ranges (RFC 9110 14.6). */
  private static void writeParts(
      HttpResponse response, String type, StaticContent content, List<ByteRange> ranges)
      throws IOException {
    String boundary = UUID.randomUUID().toString(); // unpredictable, so it cannot occur in the file
    List<byte[]> heads =
        ranges.stream()
            .map(range ->
                """
                \r
                --%s\r
                Content-Type: %s\r
                Content-Range: %s\r
                \r
                """
                    .formatted(boundary, type, range.of(content.length()))
                    .getBytes(ISO_8859_1))
            .toList();
    byte[] tail = ("\r\n--" + boundary + "--\r\n").getBytes(ISO_8859_1);
    long length = tail.length;
    for (int i = 0; i < ranges.size(); i++) {
      length += heads.get(i).length + ranges.get(i).length();
    }
    response.status(206).contentType("multipart/byteranges; boundary=" + boundary);
    response.contentLength(length);
    for (int i = 0; i < ranges.size(); i++) {
      response.write(ByteBuffer.wrap(heads.get(i)));
      content.body().write(response, ranges.get(i).first(), ranges.get(i).length());
    }
    response.write(ByteBuffer.wrap(tail));
  }
}
