package dev.windhover.http;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;

/** Shows a developer what failed; see {@link Application#useDeveloperExceptionPage()}. */
final class DeveloperExceptionPage {
  private DeveloperExceptionPage() {}

  /** Writes the response, which must not have started. */
  static void write(HttpContext context, Throwable failure) throws IOException {
    HttpResponse response = context.response();
    response.status(500);
    response.headers().set("Cache-Control", "no-store").set("X-Content-Type-Options", "nosniff");
    if (likesHtml(context.request().headers())) {
      response
          .headers()
          .set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
      response.contentType("text/html; charset=utf-8").write(page(context, failure));
    } else {
      response.contentType("text/plain; charset=utf-8").write(text(context, failure));
    }
  }

  /** Browsers ask for HTML by name; a client that accepts anything does not want a page. */
  private static boolean likesHtml(Headers headers) {
    return headers.list("Accept").stream()
        .map(range -> range.split(";", 2)[0].strip())
        .anyMatch("text/html"::equalsIgnoreCase);
  }

  private static String text(HttpContext context, Throwable failure) {
    return "request " + context.id() + " failed\n\n" + stackTrace(failure);
  }

  private static String page(HttpContext context, Throwable failure) {
    return """
    <!DOCTYPE html>
    <html lang="en">
    <meta charset="utf-8">
    <title>%1$s</title>
    <style>body{font-family:sans-serif;margin:2em}pre{overflow-x:auto}</style>
    <h1>%1$s</h1>
    <p>%2$s %3$s, request %4$s</p>
    <pre>%5$s</pre>
    </html>
    """
        .formatted(
            escaped(failure.toString()),
            escaped(context.request().method()),
            escaped(context.request().target()),
            escaped(context.id()),
            escaped(stackTrace(failure)));
  }

  private static String stackTrace(Throwable failure) {
    StringWriter text = new StringWriter();
    failure.printStackTrace(new PrintWriter(text));
    return text.toString();
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;")
        .replace("'", "&#39;");
  }
}
