package dev.windhover.hubs.connections;

import static dev.windhover.hubs.connections.Recorder.bytes;
import static dev.windhover.hubs.connections.Recorder.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class UnitsTest {
  @Nested
  class Tokens {
    private final ConnectionTokens tokens = new ConnectionTokens();

    @Test
    void areUniqueAndFitIntoUrls() {
      Set<String> all = new HashSet<>();
      for (int i = 0; i < 1000; i++) {
        all.add(tokens.newToken());
        all.add(tokens.newId());
      }
      assertThat(all).hasSize(2000).allMatch(each -> each.matches("[\\w-]{22}"));
    }

    @Test
    void areRecognized() {
      String token = tokens.newToken();
      assertThat(tokens.isOurs(token)).isTrue();
      assertThat(new ConnectionTokens().isOurs(token)).isFalse();
      char other = token.charAt(5) == 'A' ? 'B' : 'A';
      assertThat(tokens.isOurs(token.substring(0, 5) + other + token.substring(6))).isFalse();
      for (String bad : new String[] {"", "nobody", "!".repeat(22), token + "AA"}) {
        assertThat(tokens.isOurs(bad)).isFalse();
      }
    }
  }

  @Nested
  class WhatHasComeIn {
    private final List<String> taken = new ArrayList<>();
    private int most = Integer.MAX_VALUE;
    private final Inbound inbound = new Inbound();

    private void take(ByteBuffer bytes) {
      int n = Math.min(most, bytes.remaining());
      taken.add(text(bytes.slice(bytes.position(), n)));
      bytes.position(bytes.position() + n);
    }

    @Test
    void waitsUntilThereIsAListener() {
      inbound.add(bytes("a"), true, this::take);
      assertThat(taken).isEmpty();
      inbound.resume(this::take);
      assertThat(taken).containsExactly("a");
      assertThat(inbound.isTaking()).isTrue();
    }

    @Test
    void isKeptInOrderWhileTheListenerTakesNoMore() {
      inbound.resume(this::take);
      most = 1;
      inbound.add(bytes("abc"), true, this::take);
      inbound.add(bytes("d"), true, this::take);
      assertThat(taken).containsExactly("a");
      assertThat(inbound.isTaking()).isFalse();
      most = 2;
      inbound.resume(this::take);
      assertThat(taken).containsExactly("a", "bc", "d");
      assertThat(inbound.isTaking()).isTrue();
    }

    @Test
    void isCopiedIfItIsLent() {
      inbound.resume(this::take);
      most = 1;
      ByteBuffer lent = bytes("abc");
      inbound.add(lent, true, this::take);
      lent.put(2, (byte) '!');
      most = 10;
      inbound.resume(this::take);
      assertThat(taken).containsExactly("a", "bc");
    }
  }

  @Test
  void linesOfAMessageBecomeFieldsOfAnEvent() {
    assertThat(text(EventTransport.data(bytes("")))).isEqualTo("data: ");
    assertThat(text(EventTransport.data(bytes("é\n\nb"))))
        .isEqualTo("data: é\r\ndata: \r\ndata: b");
    assertThat(text(EventTransport.data(bytes("a\r\n")))).isEqualTo("data: a\r\ndata: ");
  }

  @Test
  void optionsRefuseWhatMakesNoSense() {
    ConnectionOptions options = new ConnectionOptions();
    assertThatThrownBy(() -> options.transports(EnumSet.noneOf(TransportType.class)))
        .hasMessage("an endpoint needs a transport");
    assertThatThrownBy(() -> options.applicationMaxBufferSize(-1))
        .hasMessage("applicationMaxBufferSize -1 is negative");
    assertThatThrownBy(() -> options.pollTimeout(Duration.ZERO))
        .hasMessage("pollTimeout PT0S is not positive");
    assertThatThrownBy(() -> options.drainTime(Duration.ofSeconds(-1)))
        .hasMessage("drainTime PT-1S is negative");
    assertThatThrownBy(() -> options.minimumProtocolVersion(2))
        .hasMessage("minimumProtocolVersion 2 is not 0 or 1");
    assertThatThrownBy(() -> options.maxUnfinishedNegotiations(0))
        .hasMessage("maxUnfinishedNegotiations 0 is not positive");
    assertThatThrownBy(options::requireRole).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void secretsAreNotPrinted() {
    assertThat(new NegotiationRedirect("https://x", "secret").toString()).doesNotContain("secret");
    assertThat(new Negotiated("secret", "id", false, 0).toString()).doesNotContain("secret");
  }
}
