package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.http.HttpContext;
import dev.windhover.http.host.HostContext;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Response;
import dev.windhover.verification.wire.Wire;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Odd and malformed requests, each with its answer: the table {@code http1-requests.txt}, which is
 * also the one in {@code docs/http.md}; {@code -Dwindhover.docs.rewrite} writes it there.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@ExtendWith(StrictLogs.class)
class RequestTableTest {
  private static final String BEGIN = "<!-- requests -->\n";
  private static final String END = "<!-- /requests -->";
  private static final String NEXT = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n";

  /** So many bytes of a request come one by one: of the few longer ones the rest is a filling. */
  private static final int MOST_SINGLY = 1_000;

  private static final Pattern CONTROL = Pattern.compile("\\p{Cntrl}");

  private static final WebApplication app = WebApplication.create("--urls=http://127.0.0.1:0");
  private static final Queue<String> served = new ConcurrentLinkedQueue<>();

  /**
   * One row.
   *
   * @param answer the status, and for 200 what the handler saw
   * @param connection {@code kept} or {@code closed}
   */
  record Row(String part, String name, String sent, String answer, String connection, String rule) {
    @Override
    public String toString() {
      return part + ": " + name;
    }

    boolean isKept() {
      return connection.equals("kept");
    }

    boolean isServed() {
      return answer.startsWith("200");
    }
  }

  @BeforeAll
  void start() throws IOException {
    app.map("/{*path}", RequestTableTest::tell);
    app.use((context, next) -> {
      if (context.request().path().equals("*")) { // no route has it
        tell(context);
      } else {
        next.handle(context);
      }
    });
    app.start();
  }

  @AfterAll
  void stop() {
    app.stop();
  }

  /** Says what arrived. */
  private static void tell(HttpContext context) throws IOException {
    var request = context.request();
    String body = new String(request.body().readAllBytes(), StandardCharsets.ISO_8859_1);
    String path =
        CONTROL
            .matcher(request.path())
            .replaceAll(c -> "\\\\x%02X".formatted((int) c.group().charAt(0)));
    String text = request.method() + " " + path;
    served.add(text);
    text += request.host().equals("x") ? "" : " at " + request.host();
    text += body.isEmpty() ? "" : " " + body;
    context
        .response()
        .write(text + (HostContext.of(context).upgrade() == null ? "" : " upgradable"));
  }

  @ParameterizedTest
  @MethodSource("rows")
  void requestHasItsAnswerAndWhatFollowsIsServedOrNeverParsed(Row row) throws IOException {
    served.clear();
    try (Wire wire = Wire.connect(Ports.of(app))) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      bytes.writeBytes(bytes(row.sent()));
      bytes.writeBytes(NEXT.getBytes(StandardCharsets.US_ASCII));
      wire.send(bytes.toByteArray());
      expectAnswer(row, wire);
    }
  }

  @ParameterizedTest
  @MethodSource("rows")
  void requestThatComesByteByByteHasItsAnswer(Row row) throws IOException {
    served.clear();
    try (Wire wire = Wire.connect(Ports.of(app))) {
      byte[] bytes = bytes(row.sent());
      int singly = Math.min(bytes.length - 1, MOST_SINGLY);
      for (int i = 0; i < singly; i++) {
        wire.send(bytes[i]);
      }
      ByteArrayOutputStream rest = new ByteArrayOutputStream();
      rest.writeBytes(Arrays.copyOfRange(bytes, singly, bytes.length));
      rest.writeBytes(NEXT.getBytes(StandardCharsets.US_ASCII));
      wire.send(rest.toByteArray());
      expectAnswer(row, wire);
    }
  }

  private static void expectAnswer(Row row, Wire wire) throws IOException {
    Response response = wire.response();
    assertThat(answer(response)).isEqualTo(row.answer());
    if (row.isKept()) {
      assertThat(response.header("Connection")).isNotEqualTo("close");
      assertThat(wire.response().body()).isEqualTo("GET /next");
    } else {
      assertThat(response.header("Connection")).isEqualTo("close");
      wire.send(NEXT); // nor is what comes later
      wire.expectEnd();
      assertThat(served).hasSize(row.isServed() ? 1 : 0).doesNotContain("GET /next");
    }
  }

  private static String answer(Response response) {
    return response.status() + (response.status() == 200 ? " " + response.body() : "");
  }

  @Test
  void documentedTableIsTheOneThatRuns() throws IOException {
    Path page = Repository.root().resolve("docs").resolve("http.md");
    String text = Files.readString(page);
    int from = text.indexOf(BEGIN) + BEGIN.length();
    int to = text.indexOf(END);
    if (System.getProperty("windhover.docs.rewrite") != null) {
      Files.writeString(page, text.substring(0, from) + table() + text.substring(to));
      return;
    }

    assertThat(text.substring(from, to)).as(page + " between its markers").isEqualTo(table());
  }

  private static String table() throws IOException {
    StringBuilder lines = new StringBuilder();
    String part = "";
    for (Row row : rows()) {
      if (!row.part().equals(part)) {
        part = row.part();
        lines.append(part.equals(rows().getFirst().part()) ? "" : "\n");
        lines.append("| ").append(part).append(" | answer | connection | RFC |\n");
        lines.append("|---|---|---|---|\n");
      }
      String answer = row.isServed() ? "`" + row.answer().strip() + "`" : row.answer();
      lines.append(
          "| %s | %s | %s | %s |%n"
              .formatted(row.name(), answer, row.connection(), row.rule().replace("; ", "<br>")));
    }
    return lines.toString();
  }

  static List<Row> rows() throws IOException {
    String text;
    try (InputStream in = RequestTableTest.class.getResourceAsStream("/http1-requests.txt")) {
      text = new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
    }
    List<Row> rows = new ArrayList<>();
    String part = "";
    for (String line : text.lines().skip(1).toList()) {
      if (line.startsWith("# ")) {
        part = line.substring(2);
      } else if (!line.isEmpty()) {
        String[] cells = line.split(" \\| ", -1);
        assertThat(cells).as(line).hasSize(5);
        rows.add(new Row(part, cells[0], cells[1], cells[2], cells[3], cells[4]));
      }
    }
    return rows;
  }

  /** Returns the bytes of {@code \r}, {@code \xHH} and the like; of <code>{x*3}</code>, xxx. */
  private static byte[] bytes(String escaped) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int i = 0; i < escaped.length(); i++) {
      char c = escaped.charAt(i);
      if (c == '{') {
        int end = closing(escaped, i);
        int times = escaped.lastIndexOf('*', end);
        byte[] repeated = bytes(escaped.substring(i + 1, times));
        for (int n = Integer.parseInt(escaped.substring(times + 1, end)); n > 0; n--) {
          bytes.writeBytes(repeated);
        }
        i = end;
      } else if (c == '\\') {
        char kind = escaped.charAt(++i);
        if (kind == 'x') {
          bytes.write(Integer.parseInt(escaped.substring(i + 1, i + 3), 16));
          i += 2;
        } else {
          bytes.write("\r\n\t\0\\".charAt("rnt0\\".indexOf(kind)));
        }
      } else {
        bytes.write(c);
      }
    }
    return bytes.toByteArray();
  }

  private static int closing(String text, int open) {
    int depth = 0;
    for (int i = open; ; i++) {
      depth += text.charAt(i) == '{' ? 1 : text.charAt(i) == '}' ? -1 : 0;
      if (depth == 0) {
        return i;
      }
    }
  }
}
