package dev.windhover.hubs;

import dev.windhover.hubs.HubFixture.Client;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HubTimeLimitsTest {
  private final Semaphore permits = new Semaphore(0);

  public final class Waiting extends Hub<Void> {
    public void await() throws InterruptedException {
      permits.acquire();
    }
  }

  private final HubFixture hub =
      HubFixture.of(Waiting.class, Waiting::new, options -> options.enableDetailedErrors(true));
  private final Client client = hub.connect();

  @AfterEach
  void end() {
    permits.release(1000);
    hub.close();
  }

  @Test
  void aPingIsSentAtEveryInterval() {
    hub.advance(Duration.ofMillis(14_999));
    hub.advance(Duration.ofMillis(1));
    client.expect("{'type':6}");
    hub.advance(Duration.ofSeconds(15));
    client.expect("{'type':6}");
  }

  @Test
  void aClientIsTimedOutFromItsFirstPingOn() {
    hub.advance(Duration.ofMinutes(1));
    client.expect("{'type':6}", "{'type':6}", "{'type':6}", "{'type':6}");
    client.send("{'type':6}");
    hub.advance(Duration.ofSeconds(29));
    client.expect("{'type':6}");
    hub.advance(Duration.ofSeconds(1));
    client.expectClosed(
        "Connection closed with an error. OperationCanceledException: Client hasn't sent a"
            + " message/ping within the configured ClientTimeoutInterval.",
        true);
  }

  @Test
  void anyMessageIsASignOfLife() {
    client.send("{'type':6}");
    for (int i = 0; i < 3; i++) {
      hub.advance(Duration.ofSeconds(20));
      client.call("1", "x");
    }
    client.expect("{'type':6}");
    expectNone();
    client.expect("{'type':6}");
    expectNone();
    client.expect("{'type':6}", "{'type':6}");
    expectNone();
  }

  private void expectNone() {
    client.expectError(
        "1",
        "Failed to invoke 'x' due to an error on the server. HubException: Method does not exist.");
  }

  @Test
  void theTimeDoesNotCountWhileTheClientIsNotRead() {
    client.send("{'type':6}");
    for (int i = 0; i < 100; i++) { // more than are read ahead
      client.send("{'type':1,'target':'await','arguments':[]}");
    }
    hub.host().awaitIdle();
    permits.release(5); // some end, but not so many that the client would be read again
    hub.host().awaitIdle();
    hub.advance(Duration.ofSeconds(60));
    client.expect("{'type':6}", "{'type':6}", "{'type':6}", "{'type':6}");
    permits.release(1000);
    client.call("1", "await").expectResult("1", "null");
  }
}
