package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.windhover.app.WebApplication;
import dev.windhover.server.ListenException;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Wire;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Where an application listens. */
@ExtendWith(StrictLogs.class)
class AddressesTest {
  static final String IN_USE =
      "the address is in use; stop the program that listens there, or name another port with"
          + " --urls";

  private static WebApplication on(String... urls) throws IOException {
    WebApplication app = WebApplication.create("--urls", String.join(";", urls));
    app.map("/", context -> context.response().write("here\n"));
    return app.start();
  }

  private static void expectAnswer(String address, int port) throws IOException {
    InetSocketAddress socket = new InetSocketAddress(InetAddress.ofLiteral(address), port);
    try (Wire wire = Wire.connect(socket, 0)) {
      wire.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      assertThat(wire.response().body()).isEqualTo("here\n");
    }
  }

  private static List<Integer> ports(WebApplication app) {
    return app.urls().stream()
        .map(url -> Integer.valueOf(url.substring(url.lastIndexOf(':') + 1)))
        .toList();
  }

  @Test
  void severalAddressesAreListenedOn() throws IOException {
    WebApplication app = on("http://127.0.0.1:0", "http://127.0.0.2:0/");
    try {
      assertThat(app.urls()).allMatch(url -> url.matches("http://127\\.0\\.0\\.[12]:\\d+"));
      expectAnswer("127.0.0.1", ports(app).getFirst());
      expectAnswer("127.0.0.2", ports(app).getLast());
    } finally {
      app.stop();
    }
  }

  @Test
  void localhostIsBothFamiliesOnOnePort() throws IOException {
    WebApplication app = on("http://localhost:0");
    try {
      expectAnswer("127.0.0.1", ports(app).getFirst());
      assumeTrue(hasIpv6(), "no IPv6 here: only half of this was tested");
      expectAnswer("::1", ports(app).getFirst());
    } finally {
      app.stop();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"http://*:0", "http://+:0"})
  void starIsAllInterfaces(String url) throws IOException {
    WebApplication app = on(url);
    try {
      expectAnswer("127.0.0.1", ports(app).getFirst());
      expectAnswer("127.0.0.9", ports(app).getFirst());
    } finally {
      app.stop();
    }
  }

  @Test
  void oneAddressInUseKeepsAllFromBeingListenedOn() throws IOException {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
      String url = "http://127.0.0.1:" + taken.getLocalPort();
      assertThatThrownBy(() -> on("http://127.0.0.1:0", url))
          .isInstanceOf(ListenException.class)
          .hasMessage("cannot listen on " + url + ": " + IN_USE);
    }
  }

  @Test
  void portOfLocalhostInUseInOneFamilyIsInUse() throws IOException {
    assumeTrue(hasIpv6(), "no IPv6 here");
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.ofLiteral("::1"))) {
      String url = "http://localhost:" + taken.getLocalPort();
      assertThatThrownBy(() -> on(url))
          .isInstanceOf(ListenException.class)
          .hasMessage("cannot listen on " + url + ": " + IN_USE);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ftp://localhost",
        "http://",
        "localhost:5000",
        "http://localhost/path",
        "http://local host"
      })
  void malformedAddressIsToldInOneLine(String url) {
    assertThatThrownBy(() -> on(url))
        .isInstanceOf(ListenException.class)
        .hasMessage(
            "--urls: cannot listen on \""
                + url
                + "\": it is not of the form http://host:port or https://host:port");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "http://localhost:99999  | --urls: cannot listen on \"http://localhost:99999\": port 99999"
            + " is not within 0-65535",
        "http://192.0.2.1:0      | cannot listen on http://192.0.2.1:0: this machine does not have"
            + " the address; name one of its own, or * for all, with --urls",
        "http://nowhere.invalid:0 | cannot listen on http://nowhere.invalid:0: unknown host; name"
            + " an address of this machine, or * for all, with --urls",
      })
  void addressThatCannotBeHadIsToldWithWhatToDo(String url, String line) {
    assertThatThrownBy(() -> on(url)).isInstanceOf(ListenException.class).hasMessage(line);
  }

  private static boolean hasIpv6() {
    try (ServerSocket socket = new ServerSocket(0, 1, Inet6Address.ofLiteral("::1"))) {
      return socket.isBound();
    } catch (IOException e) {
      return false;
    }
  }
}
