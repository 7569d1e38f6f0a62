package dev.windhover.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;

/** A client's opening handshake; the key and its answer are the example of RFC 6455, 1.3. */
final class OpeningHandshake {
  private static final String EXTENSIONS = "Sec-WebSocket-Extensions:";

  private OpeningHandshake() {}

  /** Opens a WebSocket, and fails if the server does not accept exactly this compression. */
  static LoadConnection.Opening of(String path, Compression compression) {
    return socket -> perform(socket, path, compression);
  }

  private static void perform(Socket socket, String path, Compression compression)
      throws IOException {
    String request =
        """
        GET %s HTTP/1.1
        Host: localhost:%d
        Upgrade: websocket
        Connection: Upgrade
        Sec-WebSocket-Version: 13
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        %s
        """
            .formatted(
                path,
                socket.getPort(),
                compression.on() ? EXTENSIONS + " " + compression.offer() + "\n" : "")
            .replace("\n", "\r\n");
    socket.getOutputStream().write(request.getBytes(US_ASCII));
    var response = new StringBuilder();
    InputStream in = socket.getInputStream();
    while (response.length() < 8192 && response.indexOf("\r\n\r\n") < 0) {
      int b = in.read();
      if (b < 0) {
        break;
      }
      response.append((char) b);
    }
    if (!response.toString().startsWith("HTTP/1.1 101 ")
        || response.indexOf("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") < 0) {
      throw new IOException(
          "no upgrade but " + response.toString().lines().findFirst().orElse("nothing"));
    }
    compression.requireAgreed(
        response
            .toString()
            .lines()
            .filter(line -> line.regionMatches(true, 0, EXTENSIONS, 0, EXTENSIONS.length()))
            .map(line -> line.substring(EXTENSIONS.length()).strip())
            .reduce((first, second) -> first + ", " + second)
            .orElse(null));
  }
}
