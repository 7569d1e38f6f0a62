package dev.windhover.server.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RequestBodyTest {
  private final Supply supply = new Supply();
  private final RequestBody body = new RequestBody(new RequestId(1, 1), supply, -1, 1_000_000);

  private static final class Supply implements RequestBody.Supply {
    boolean paused;
    long taken;

    @Override
    public void pauseBody() {
      paused = true;
    }

    @Override
    public void resumeBody() {
      paused = false;
    }

    @Override
    public void bodyConsumed(int bytes) {
      taken += bytes;
    }

    @Override
    public void bodyAwaited() {}

    @Override
    public void wake(Thread handler) {
      LockSupport.unpark(handler);
    }

    @Override
    public boolean inLoop() {
      return false;
    }
  }

  @AfterEach
  void end() {
    body.discard();
  }

  /** Adds pieces of that size until the supply is paused; returns how many. */
  private int fill(int size) {
    int pieces = 0;
    while (!supply.paused) {
      ByteBuf piece = Unpooled.buffer(size).writeZero(size);
      body.add(piece);
      piece.release();
      pieces++;
    }
    return pieces;
  }

  @ParameterizedTest
  @CsvSource({"1, 65537", "256, 257", "257, 256", "1023, 65", "1024, 65", "65536, 2"})
  void bytesThatAreKeptAreBounded(int size, int most) throws IOException {
    assertThat(fill(size)).isEqualTo(most);
    assertThat(body.available()).isEqualTo(size * most);
  }

  @Test
  void supplyGoesOnWhenSomeWasTaken() throws IOException {
    int pieces = fill(1);
    for (int i = 0; i < pieces && supply.paused; i++) {
      assertThat(body.read()).isZero();
    }
    assertThat(supply.paused).isFalse();
    assertThat(fill(1)).isPositive();
  }

  @Test
  void smallPiecesAreGathered() {
    ByteBuf read = Unpooled.buffer(64 * 1024).writeZero(64 * 1024);
    for (int i = 0; i < 60_000; i++) {
      body.add(read.slice(i, 1));
    }
    assertThat(read.refCnt()).isOne();
    read.release();
  }

  @Test
  void bytesOfAllSizesComeInOrder() throws IOException {
    ByteBuf sent = Unpooled.buffer();
    for (int size : new int[] {1, 2000, 3, 4, 1024, 1023, 1023, 1023, 1023, 1023, 5, 1500}) {
      ByteBuf piece = Unpooled.buffer(size);
      for (int i = 0; i < size; i++) {
        piece.writeByte(sent.readableBytes() + i);
      }
      sent.writeBytes(piece, 0, size);
      body.add(piece);
      piece.release();
    }
    body.end(List.of());
    assertThat(body.readAllBytes()).isEqualTo(ByteBufUtil.getBytes(sent));
    assertThat(supply.taken).isEqualTo(sent.readableBytes());
    sent.release();
  }

  @Test
  void whatIsDroppedIsTaken() {
    ByteBuf piece = Unpooled.buffer(2000).writeZero(2000);
    body.add(piece);
    body.discard();
    body.add(piece);
    assertThat(supply.taken).isEqualTo(4000);
    assertThat(piece.release()).isTrue();
  }
}
