package dev.windhover.http.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.WhenFull;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class MailingTest {
  private static final String KEY = "key";

  private final Turns here = new Turns();
  private final Turns there = new Turns();
  private final FanOut fanOutHere = new FanOut(here);
  private final FanOut fanOutThere = new FanOut(there);
  private final List<String> asked = new ArrayList<>();

  private PreparedMessage hello(Object form) {
    asked.add(form.toString());
    return PreparedMessage.text("hello in " + form);
  }

  @Test
  void aMessageIsHandedToEachLoopInOneTask() {
    var recipients = new ArrayList<Inbox>();
    var mailing = new Mailing();
    for (int i = 0; i < 10; i++) {
      recipients.add(new Inbox(i % 2 == 0 ? fanOutHere : fanOutThere));
      mailing.add(recipients.getLast(), "json", WhenFull.DISCONNECT);
    }
    mailing.send(this::hello, null, KEY);
    assertThat(here.left()).isEqualTo(1);
    assertThat(there.left()).isEqualTo(1);
    assertThat(recipients).allSatisfy(each -> assertThat(each.got).isEmpty());
    here.run();
    there.run();
    assertThat(recipients)
        .allSatisfy(each -> assertThat(each.got).containsExactly("hello in json, DISCONNECT"));
  }

  @Test
  void eachTakesItsOwnForm() {
    var one = new Inbox(fanOutHere);
    var other = new Inbox(fanOutHere);
    var mailing = new Mailing();
    mailing.add(one, "json", WhenFull.DISCONNECT);
    mailing.add(other, "messagepack", WhenFull.DISCONNECT);
    mailing.send(this::hello, null, KEY);
    here.run();
    assertThat(one.got).containsExactly("hello in json, DISCONNECT");
    assertThat(other.got).containsExactly("hello in messagepack, DISCONNECT");
    assertThat(asked).containsExactly("json", "messagepack");
  }

  @Test
  void whatAMessageSaysCountsMoreThanWhatItsRecipientsHaveSaid() {
    var one = new Inbox(fanOutHere);
    var other = new Inbox(fanOutHere);
    for (@Nullable WhenFull said : new @Nullable WhenFull[] {null, WhenFull.DROP_OLDEST}) {
      var mailing = new Mailing();
      mailing.add(one, "json", WhenFull.DISCONNECT);
      mailing.add(other, "json", WhenFull.DROP_NEWEST);
      mailing.send(this::hello, said, KEY);
    }
    here.run();
    assertThat(one.got).containsExactly("hello in json, DISCONNECT", "hello in json, DROP_OLDEST");
    assertThat(other.got)
        .containsExactly("hello in json, DROP_NEWEST", "hello in json, DROP_OLDEST");
  }

  @Test
  void messagesToTheSameLeaveTogether() {
    var one = new Inbox(fanOutHere);
    for (int i = 0; i < 3; i++) {
      var mailing = new Mailing();
      mailing.add(one, "json", WhenFull.DISCONNECT);
      mailing.send(this::hello, null, KEY);
    }
    here.run();
    assertThat(one.got).hasSize(3);
    assertThat(one.bursts).isEqualTo(1);
  }

  @Test
  void whatOneThreadSendsArrivesInThatOrder() {
    var one = new Inbox(fanOutHere);
    var other = new Inbox(fanOutHere);
    one.post(new Delivery(PreparedMessage.text("first"), WhenFull.DISCONNECT, KEY));
    var mailing = new Mailing();
    mailing.add(other, "json", WhenFull.DISCONNECT);
    mailing.add(one, "json", WhenFull.DISCONNECT);
    mailing.send(this::hello, null, KEY);
    one.post(new Delivery(PreparedMessage.text("last"), WhenFull.DISCONNECT, KEY));
    here.run();
    assertThat(one.got)
        .containsExactly("first, DISCONNECT", "hello in json, DISCONNECT", "last, DISCONNECT");
  }

  @Test
  void aTurnOfTheLoopEndsBeforeAllOfManyAreReached() {
    var recipients = new ArrayList<Inbox>();
    var mailing = new Mailing();
    for (int i = 0; i < 5000; i++) {
      recipients.add(new Inbox(fanOutHere));
      mailing.add(recipients.getLast(), "json", WhenFull.DISCONNECT);
    }
    mailing.send(this::hello, null, KEY);
    here.runOne();
    assertThat(recipients).anyMatch(each -> each.got.isEmpty());
    here.run();
    assertThat(recipients).allSatisfy(each -> assertThat(each.got).hasSize(1));
  }

  @Test
  void nobodyGetsFarAheadOfALoopThatHasManyToReach() {
    here.isCurrent = true; // so the sender itself goes to work instead of waiting
    var recipients = new ArrayList<Inbox>();
    for (int i = 0; i < 1000; i++) {
      recipients.add(new Inbox(fanOutHere));
    }
    for (int i = 0; i < 1000; i++) {
      var mailing = new Mailing();
      recipients.forEach(each -> mailing.add(each, "json", WhenFull.DISCONNECT));
      mailing.send(this::hello, null, KEY);
    }
    assertThat(recipients.getFirst().got).hasSizeBetween(700, 999);
  }

  /** A loop that runs its tasks when it is told to. */
  private static final class Turns implements Loop {
    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private boolean isCurrent;

    int left() {
      return tasks.size();
    }

    void runOne() {
      tasks.remove().run();
    }

    void run() {
      while (!tasks.isEmpty()) {
        runOne();
      }
    }

    @Override
    public void execute(Runnable task) {
      tasks.add(task);
    }

    @Override
    public boolean inLoop() {
      return isCurrent;
    }

    @Override
    public long nanoTime() {
      return 0;
    }

    @Override
    public Instant now() {
      return Instant.EPOCH;
    }

    @Override
    public Timer schedule(Duration delay, Runnable task) {
      throw new UnsupportedOperationException("no test waits");
    }
  }

  /** Keeps what it is sent, with the policy. */
  private static final class Inbox implements Recipient {
    private final FanOut fanOut;
    private final List<String> got = new ArrayList<>();
    private int bursts;

    Inbox(FanOut fanOut) {
      this.fanOut = fanOut;
    }

    @Override
    public FanOut fanOut() {
      return fanOut;
    }

    @Override
    public @Nullable Encoder encoder() {
      return null;
    }

    @Override
    public boolean add(Membership membership) {
      return false;
    }

    @Override
    public @Nullable Membership remove(Object group) {
      return null;
    }

    @Override
    public void deliver(Burst burst, WhenFull whenFull) {
      bursts++;
      for (Delivery each : burst.deliveries()) {
        WhenFull said = each.whenFull() == null ? whenFull : each.whenFull();
        got.add(StandardCharsets.UTF_8.decode(each.payload()) + ", " + said);
      }
    }
  }
}
