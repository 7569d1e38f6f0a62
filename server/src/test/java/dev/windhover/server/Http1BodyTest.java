package dev.windhover.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.HttpContent;
import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Http1BodyTest {
  private final EmbeddedChannel channel = new EmbeddedChannel();
  private final Http1Body body = new Http1Body("1", channel, -1, 1_000_000, () -> {});

  @AfterEach
  void end() {
    body.discard();
    channel.finishAndReleaseAll();
  }

  /** Adds pieces of that size until the connection is not read; returns how many. */
  private int fill(int size) {
    int pieces = 0;
    while (channel.config().isAutoRead()) {
      HttpContent piece = new DefaultHttpContent(Unpooled.buffer(size).writeZero(size));
      body.add(piece);
      piece.release();
      pieces++;
    }
    return pieces;
  }

  @ParameterizedTest
  @CsvSource({"1, 257", "256, 257", "257, 256", "65536, 2"})
  void bytesAndPiecesThatAreKeptAreBounded(int size, int most) throws IOException {
    assertThat(fill(size)).isEqualTo(most);
    assertThat(body.available()).isEqualTo(size * most);
  }

  @Test
  void connectionIsReadAgainWhenSomePiecesWereTaken() throws IOException {
    int pieces = fill(1);
    for (int i = 0; i < pieces && !channel.config().isAutoRead(); i++) {
      assertThat(body.read()).isZero();
    }
    assertThat(channel.config().isAutoRead()).isTrue();
    assertThat(fill(1)).isPositive();
  }
}
