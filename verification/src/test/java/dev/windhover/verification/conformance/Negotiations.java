package dev.windhover.verification.conformance;

import dev.windhover.verification.conformance.Case.Need;
import dev.windhover.verification.conformance.Transport.Opened;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Response;
import dev.windhover.verification.wire.Wire;
import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The rows 25: offers of permessage-deflate, and the one right answer (RFC 7692 5, 7.1). */
final class Negotiations {
  private static final String EXTENSIONS = "Sec-WebSocket-Extensions";

  private Negotiations() {}

  static void addTo(Beyond beyond) {
    accepted(beyond);
    declined(beyond);
    several(beyond);
    less(beyond);
    off(beyond);
  }

  /** PMD stands for the extension's name. */
  private static void answered(
      Beyond beyond, String row, String settings, String offer, @Nullable String answer) {
    String offered = offer.replace("PMD", "permessage-deflate");
    String due = answer == null ? null : answer.replace("PMD", "permessage-deflate");
    beyond.add(
        row,
        settings.isEmpty() ? Need.ECHO : Need.SETTINGS,
        stage -> {
          if (stage.isOurs()) {
            Opened opened = stage.ask(settings, Map.of(EXTENSIONS, offered));
            opened.peer().close();
            expectAnswer(opened.response(), due);
          }
          if (due != null) { // any answer that RFC 7692 allows, and it is kept to
            echo(stage.openDeflate(settings, offered));
          } else if (!offered.endsWith("bits=8")) { // which others may be able to do
            Opened opened = stage.ask(settings, Map.of(EXTENSIONS, offered));
            echo(new Conversation(opened.peer(), stage.patienceMillis(), null));
            expectAnswer(opened.response(), null);
          }
        });
  }

  private static void expectAnswer(Response response, @Nullable String due) {
    String answer = response.header(EXTENSIONS);
    if (due == null ? answer != null : !due.equals(answer)) {
      throw new AssertionError("due is the answer " + due + " and there came " + response);
    }
  }

  private static void echo(Conversation peer) throws IOException {
    try (peer) {
      Frame message = Frame.text("often, often, often, often, often, often, often, often");
      peer.send(message).expect(message).finish();
    }
  }

  private static void accepted(Beyond beyond) {
    String[][] offers = {
      {"PMD", "PMD"},
      {" PMD ", "PMD"},
      {"PMD; server_no_context_takeover", "PMD; server_no_context_takeover"},
      {"PMD; client_no_context_takeover", "PMD; client_no_context_takeover"},
      {"PMD; client_max_window_bits", "PMD; client_max_window_bits=15"},
      {"PMD; client_max_window_bits=8", "PMD; client_max_window_bits=8"},
      {"PMD; client_max_window_bits=9", "PMD; client_max_window_bits=9"},
      {"PMD; client_max_window_bits=\"9\"", "PMD; client_max_window_bits=9"},
      {"PMD; client_max_window_bits=15", "PMD; client_max_window_bits=15"},
      {"PMD; server_max_window_bits=9", "PMD; server_max_window_bits=9"},
      {"PMD; server_max_window_bits=10", "PMD; server_max_window_bits=10"},
      {"PMD; server_max_window_bits=\"10\"", "PMD; server_max_window_bits=10"},
      {"PMD; server_max_window_bits=15", "PMD; server_max_window_bits=15"},
      {
        "PMD;server_max_window_bits=12;client_max_window_bits",
        "PMD; client_max_window_bits=15; server_max_window_bits=12"
      },
      {
        "PMD; server_max_window_bits=10; server_no_context_takeover; client_no_context_takeover;"
            + " client_max_window_bits=12",
        "PMD; client_no_context_takeover; client_max_window_bits=12; server_no_context_takeover;"
            + " server_max_window_bits=10"
      },
    };
    for (String[] offer : offers) {
      answered(beyond, "25.1", "", offer[0], offer[1]);
    }
  }

  private static void declined(Beyond beyond) {
    String[] offers = {
      "PMD; server_max_window_bits=8",
      "PMD; client_max_window_bits=7",
      "PMD; server_max_window_bits=7",
      "PMD; server_max_window_bits=16",
      "PMD; client_max_window_bits=16",
      "PMD; server_max_window_bits=010",
      "PMD; server_max_window_bits=+10",
      "PMD; server_max_window_bits=1 0",
      "PMD; server_max_window_bits=ten",
      "PMD; server_max_window_bits=",
      "PMD; server_max_window_bits=\"\"",
      "PMD; server_max_window_bits=\"10",
      "PMD; server_max_window_bits=10\"",
      "PMD; server_max_window_bits",
      "PMD; server_no_context_takeover=true",
      "PMD; client_no_context_takeover=\"\"",
      "PMD; server_no_context_takeover; server_no_context_takeover",
      "PMD; client_no_context_takeover; client_no_context_takeover",
      "PMD; server_max_window_bits=10; server_max_window_bits=10",
      "PMD; client_max_window_bits; client_max_window_bits=10",
      "PMD; unknown",
      "PMD; unknown=1; server_no_context_takeover",
      "PMD; mem_level=9",
      "PMD;",
      "PMD;; server_no_context_takeover",
      "PMD; =9",
      "PMDx",
      "xPMD",
      "x-webkit-deflate-frame",
      "PMD server_no_context_takeover",
      "\"PMD\"",
      ";",
      "=",
    };
    for (String offer : offers) {
      answered(beyond, "25.2", "", offer, null);
    }
  }

  private static void several(Beyond beyond) {
    String bits9 = "PMD; server_max_window_bits=9";
    answered(beyond, "25.3", "", bits9 + ", PMD", bits9);
    answered(beyond, "25.3", "", "PMD; server_max_window_bits=8, " + bits9, bits9);
    answered(beyond, "25.3", "", "PMD; unknown, PMD", "PMD");
    answered(
        beyond,
        "25.3",
        "",
        "x-other; a=\"PMD, b\", PMD; client_no_context_takeover",
        "PMD; client_no_context_takeover");
    answered(beyond, "25.3", "", ", , PMD,", "PMD");
    answered(
        beyond,
        "25.3",
        "",
        "PMD; client_max_window_bits=7, PMD; client_max_window_bits=13",
        "PMD; client_max_window_bits=13");
    String[][] lines = {
      {"permessage-deflate; unknown", "permessage-deflate; server_max_window_bits=11"},
      {"x-other", "permessage-deflate; server_max_window_bits=11, permessage-deflate"},
    };
    for (String[] each : lines) {
      beyond.add(
          "25.3",
          Need.HTTP_1,
          stage -> {
            try (Wire wire = stage.connect()) {
              wire.send(
                  Wire.handshake(
                      stage.target(""), EXTENSIONS + ": " + each[0], EXTENSIONS + ": " + each[1]));
              expectAnswer(wire.response(), "permessage-deflate; server_max_window_bits=11");
            }
          });
    }
  }

  private static void less(Beyond beyond) {
    String bits13 = "&server_max_window_bits=13";
    String fresh = "&server_no_context_takeover=true";
    answered(beyond, "25.4", bits13, "PMD", "PMD; server_max_window_bits=13");
    answered(
        beyond, "25.4", bits13, "PMD; server_max_window_bits=14", "PMD; server_max_window_bits=13");
    answered(
        beyond, "25.4", bits13, "PMD; server_max_window_bits=10", "PMD; server_max_window_bits=10");
    answered(
        beyond,
        "25.4",
        bits13,
        "PMD; server_max_window_bits=14, PMD; server_max_window_bits=13",
        "PMD; server_max_window_bits=13");
    answered(
        beyond,
        "25.4",
        bits13,
        "PMD; client_max_window_bits=7, PMD; client_max_window_bits=13",
        "PMD; client_max_window_bits=13; server_max_window_bits=13");
    answered(beyond, "25.4", fresh, "PMD", "PMD; server_no_context_takeover");
    answered(
        beyond,
        "25.4",
        fresh + bits13,
        "PMD; client_max_window_bits",
        "PMD; client_max_window_bits=15; server_no_context_takeover; server_max_window_bits=13");
  }

  private static void off(Beyond beyond) {
    answered(beyond, "25.5", "&compression=off", "PMD; client_max_window_bits", null);
    answered(beyond, "25.5", "", "x-unknown; a=b", null);
    beyond.add(
        "25.5",
        Need.SETTINGS,
        stage -> {
          Opened opened = stage.ask("&compression=off", Map.of(EXTENSIONS, "permessage-deflate"));
          try (Conversation peer = new Conversation(opened.peer(), stage.patienceMillis(), null)) {
            expectAnswer(opened.response(), null);
            peer.send(new Frame(0xC1, new byte[] {0})).expectClose(1002);
          }
        });
  }
}
