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
 * Answers GET and HEAD with the files of a folder, wherever one fits the path; everything else goes
 * on to what stands behind. A path that ends in {@code /} means the {@code index.html} there; the
 * same path without the {@code /} is redirected to it with 301, its query kept. Nothing outside the
 * folder is reached, not by a symbolic link either, no folder is listed, and files and folders
 * whose names begin with a dot are not served, {@code .well-known} aside.
 *
 * <p><b>Conditions</b> (RFC 9110 13). Every file has {@code Last-Modified} and a strong {@code
 * ETag}, so that a client asks again with {@code If-None-Match} or {@code If-Modified-Since} and is
 * answered 304, or with {@code If-Match} or {@code If-Unmodified-Since}, and 412. A file's tag is
 * made of its time, to the nanosecond, and its length; in the first 2 seconds after it was written
 * the tag is weak, for the file may be written again within a tick of its clock. The tag of a
 * resource in an archive is a hash of its content, and its time when it was first asked for.
 *
 * <p><b>Ranges</b> (RFC 9110 14). One range is answered with 206, up to 16 that do not overlap as
 * {@code multipart/byteranges}, none that the file has with 416; a header that is malformed or asks
 * for more is ignored. A range is always of the file itself, never of a compressed variant.
 *
 * <p><b>Variants</b> (RFC 9110 12.5.3). Where {@code app.js.br} or {@code app.js.gz} stands beside
 * {@code app.js}, and is no older, it is sent to clients who accept it, Brotli before gzip where
 * they like both the same; it has a tag of its own.
 *
 * <p>A file is sent as long as it was when its headers were. If it is cut meanwhile, the connection
 * is; replace a file by renaming another to it, rather than by writing into it.
 */
public final class StaticFiles implements Middleware {
  private static final String INDEX = "index.html";

  /** Where files come from. */
  interface Source {
    /** Returns the file of that name, relative and plain, or null. */
    @Nullable Variants find(String name, Instant now) throws IOException;
  }

  private final Source source;
  private final String prefix;

  private StaticFiles(Source source, String prefix) {
    this.source = source;
    this.prefix = prefix;
  }

  /**
   * Serves the files below {@code folder}, which may change while they are served. They are sent by
   * the system, and not held in memory, where the connection is not encrypted.
   *
   * @throws IllegalArgumentException if there is no such folder
   */
  public static StaticFiles fromFolder(Path folder) {
    return new StaticFiles(new FolderSource(folder), "/");
  }

  /**
   * Serves the resources below {@code folder} of the module of {@code anchor}, or on its class
   * path. A module need not open or export the folder. Resources in an archive are read once: up to
   * 64 KiB each and 8 MiB in all they are held in memory, beyond that as temporary files, which end
   * with the program.
   *
   * @param folder separated by {@code /}, as {@code wwwroot}
   * @throws IllegalArgumentException if {@code folder} is empty, begins with {@code /} or has a
   *     segment that begins with a dot
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
    HttpRequest request = context.request();
    String path = request.path();
    String name = nameFor(request.method(), path);
    Variants found = name == null ? null : source.find(name, context.now());
    if (name != null && found != null) {
      answer(request, context.response(), ContentTypes.of(name), found);
      return;
    }
    String index = path.endsWith("/") ? null : nameFor(request.method(), path + "/");
    // The handshake of a socket asks for no page, though it is a GET.
    boolean isHandshake = request.headers().hasToken("Upgrade", "websocket");
    if (index != null && !isHandshake && source.find(index, context.now()) != null) {
      redirect(request, context.response(), path + "/");
      return;
    }
    next.handle(context);
  }

  /** Returns the name of the file that is asked for, or null if it cannot be one. */
  private @Nullable String nameFor(String method, String path) {
    boolean reads = method.equals("GET") || method.equals("HEAD");
    if (!reads || !path.startsWith(prefix)) {
      return null;
    }
    String name = path.substring(prefix.length());
    if (name.isEmpty() || name.endsWith("/")) {
      name += INDEX;
    }
    return isPlain(name) ? name : null;
  }

  /** Returns whether {@code name} can only mean something below the folder, on any file system. */
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
    response.status(301).headers().set("Location", encoded(path) + query);
  }

  /** Encodes a path's characters, but for those that mean themselves (RFC 3986 3.3). */
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

  /** Writes all of {@code content} if {@code ranges} is null, and otherwise those. */
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
    String boundary = UUID.randomUUID().toString(); // nobody can have put it into the file
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
