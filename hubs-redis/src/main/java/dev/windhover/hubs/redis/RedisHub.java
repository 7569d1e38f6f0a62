package dev.windhover.hubs.redis;

import dev.windhover.http.host.Durations;
import dev.windhover.hubs.backplane.Form;
import dev.windhover.hubs.backplane.HubLink;
import dev.windhover.hubs.backplane.LocalHub;
import dev.windhover.hubs.backplane.LocalHub.NoAnswer;
import dev.windhover.hubs.backplane.Target;
import dev.windhover.hubs.protocol.InvalidDataException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A hub of this server among those of others: what it sends, and what they send. Any thread. */
final class RedisHub implements HubLink {
  private static final CompletionStage<Boolean> DONE = CompletableFuture.completedStage(true);

  private record Command(CompletableFuture<Boolean> obeyed, long due) {}

  private final RedisCarrier carrier;
  private final Channels channels;
  private final LocalHub local;
  private final @Nullable String idPrefix;
  private final long acknowledgementNanos;

  // These maps take no lock; others do.
  private final ConcurrentNavigableMap<Integer, Command> commands = new ConcurrentSkipListMap<>();
  private final ConcurrentNavigableMap<String, Long> asks = new ConcurrentSkipListMap<>();

  private final AtomicInteger ids = new AtomicInteger();

  /**
   * Creates one.
   *
   * @param idPrefix what the ids of most connections here begin with
   */
  RedisHub(
      RedisCarrier carrier,
      Channels channels,
      LocalHub local,
      @Nullable String idPrefix,
      Duration acknowledgementLimit) {
    this.carrier = carrier;
    this.channels = channels;
    this.local = local;
    this.idPrefix = idPrefix;
    this.acknowledgementNanos = Durations.nanos(acknowledgementLimit);
  }

  /** Returns what it hears from its beginning. */
  List<String> channels() {
    return List.of(
        channels.of(new Target.All()),
        channels.groupCommands(),
        channels.acknowledgements(),
        channels.results());
  }

  /** Returns the pattern of the channels of its connections; null if each has its own. */
  @Nullable String pattern() {
    return idPrefix == null ? null : channels.connections(idPrefix);
  }

  // ---- What the hub asks

  @Override
  public void send(Target to, Set<String> except, List<Form> forms, Runnable here) {
    Runnable deliver = local.has(to) ? here : null;
    carrier.send(
        channels.of(to), origin -> new Payload.Call(except, forms, null, null, origin), deliver);
  }

  @Override
  public void ask(String connectionId, String invocationId, List<Form> forms, Duration limit) {
    byte[] question =
        new Payload.Call(Set.of(), forms, invocationId, channels.results(), carrier.newOrigin())
            .write();
    carrier.requireSmall(question);
    asks.put(invocationId, System.nanoTime() + Durations.nanos(limit));
    boolean isSent =
        carrier.publish(
            channels.of(new Target.Connection(connectionId)),
            question,
            new Outgoing.Reply() {
              @Override
              public void published(long receivers) {
                if (receivers == 0) {
                  unanswered(invocationId, NoAnswer.UNKNOWN_CONNECTION);
                }
              }

              @Override
              public void failed() {
                unanswered(invocationId, NoAnswer.UNAVAILABLE);
              }
            });
    if (!isSent) {
      unanswered(invocationId, NoAnswer.UNAVAILABLE);
    }
  }

  private void unanswered(String invocationId, NoAnswer reason) {
    if (asks.remove(invocationId) != null) {
      local.unanswered(invocationId, reason);
    }
  }

  @Override
  public void forget(String invocationId) {
    asks.remove(invocationId);
  }

  @Override
  public CompletionStage<Boolean> addToGroup(String connectionId, String group) {
    return command(connectionId, group, true);
  }

  @Override
  public CompletionStage<Boolean> removeFromGroup(String connectionId, String group) {
    return command(connectionId, group, false);
  }

  private CompletionStage<Boolean> command(String connectionId, String group, boolean isAdd) {
    int id = ids.incrementAndGet();
    var obeyed = new CompletableFuture<Boolean>();
    commands.put(id, new Command(obeyed, System.nanoTime() + acknowledgementNanos));
    boolean isSent =
        carrier.publish(
            channels.groupCommands(),
            new Payload.GroupCommand(id, carrier.server(), isAdd, group, connectionId).write(),
            new Outgoing.Reply() {
              @Override
              public void published(long receivers) {}

              @Override
              public void failed() {
                acknowledge(id, false);
              }
            });
    if (!isSent) {
      acknowledge(id, false);
    }
    return obeyed;
  }

  private boolean acknowledge(int id, boolean isObeyed) {
    Command command = commands.remove(id);
    if (command != null) {
      command.obeyed.complete(isObeyed);
    }
    return command != null;
  }

  @Override
  public CompletionStage<Boolean> changed(Target target) {
    if (target instanceof Target.Connection(var id)
        && idPrefix != null
        && id.startsWith(idPrefix)) {
      return DONE; // the pattern is there from the beginning
    }
    String channel = channels.of(target);
    if (local.has(target) && carrier.subscriptions().isConfirmed(channel)) {
      return DONE;
    }
    var done = new CompletableFuture<Boolean>();
    carrier.change(channel, () -> local.has(target), done);
    return done;
  }

  /** Lets nobody wait for longer than was agreed; returns whether somebody waits. */
  boolean expire(long now) {
    for (Map.Entry<Integer, Command> each : commands.entrySet()) {
      if (each.getValue().due - now <= 0) {
        boolean _ = acknowledge(each.getKey(), false);
      }
    }
    for (Map.Entry<String, Long> each : asks.entrySet()) {
      if (each.getValue() - now <= 0) {
        unanswered(each.getKey(), NoAnswer.TIMED_OUT);
      }
    }
    return !commands.isEmpty() || !asks.isEmpty();
  }

  /** Nothing comes from others any more: nobody waits for them. */
  void end() {
    commands
        .keySet()
        .forEach(id -> {
          boolean _ = acknowledge(id, false);
        });
    asks.keySet().forEach(id -> unanswered(id, NoAnswer.UNAVAILABLE));
  }

  // ---- What others send

  /** Returns what {@code channel} is for; null if it is not one of this hub's. */
  Channels.@Nullable Purpose purpose(String channel) {
    return channels.purpose(channel);
  }

  /** Takes a payload. May wait for event loops. */
  void receive(Channels.Purpose purpose, byte[] payload)
      throws MalformedException, InvalidDataException {
    switch (purpose) {
      case Channels.Purpose.Send(var to) -> onCall(to, Payload.call(payload));
      case Channels.Purpose.GroupCommands _ -> onCommand(Payload.groupCommand(payload));
      case Channels.Purpose.Acknowledgements _ -> {
        if (!acknowledge(Payload.ack(payload).id(), true)) {
          carrier.tally().late("an acknowledgement is");
        }
      }
      case Channels.Purpose.Results _ -> {
        String answered = local.answered(Payload.result(payload).answer());
        if (answered == null) {
          carrier.tally().late("an answer is");
        } else {
          asks.remove(answered);
        }
      }
    }
  }

  private void onCall(Target to, Payload.Call call)
      throws MalformedException, InvalidDataException {
    Payload.Origin origin = call.origin();
    String invocationId = call.invocationId();
    if (invocationId != null && call.returnChannel() != null) {
      onAsk(to, invocationId, call.returnChannel(), call.forms());
    } else if (origin != null && origin.server().equals(carrier.server())) {
      carrier.returned(origin.number());
    } else {
      Set<String> except = to instanceof Target.User ? Set.of() : call.except(); // as in .NET
      local.deliver(to, except, call.forms());
    }
  }

  private void onAsk(Target to, String invocationId, String returnChannel, List<Form> forms)
      throws MalformedException, InvalidDataException {
    if (!(to instanceof Target.Connection(var id))) {
      throw new MalformedException("a call for a result must name one connection");
    }
    if (!channels.isForResults(returnChannel)) {
      throw new MalformedException("return channel " + returnChannel + " is not one of this hub's");
    }
    local.ask(
        id,
        invocationId,
        forms,
        answer -> {
          boolean _ = carrier.publish(returnChannel, new Payload.Result(answer).write(), null);
        });
  }

  private void onCommand(Payload.GroupCommand command) {
    if (command.isAdd()) {
      CompletionStage<Boolean> added = local.addToGroup(command.connectionId(), command.group());
      if (added != null) {
        added.thenAccept(isReached -> {
          if (isReached) {
            acknowledge(command);
          }
        });
      }
    } else if (local.removeFromGroup(command.connectionId(), command.group())) {
      acknowledge(command);
    }
  }

  private void acknowledge(Payload.GroupCommand command) {
    boolean _ =
        carrier.publish(
            channels.acknowledgements(command.server()),
            new Payload.Ack(command.id()).write(),
            null);
  }
}
