package dev.windhover.hubs.redis;

import dev.windhover.hubs.backplane.Form;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What is published: arrays of MessagePack, as the reference writes them. Items after those that
 * are known are ignored.
 *
 * <pre>
 * Call          [[except …], {protocol: record …}, invocation id, return channel, origin]
 * GroupCommand  [id, server, 1 add or 2 remove, group, connection id]
 * Ack           [id]
 * Result        [protocol, record]
 * </pre>
 *
 * <p>The reference's calls have the first two items, or four if a result is asked for. Ours always
 * have five.
 */
sealed interface Payload {
  /**
   * A message for clients.
   *
   * @param invocationId null if no result is asked for
   * @param returnChannel where the result is awaited; null as above
   * @param origin who has published it; null for a server of .NET, and what cannot be read
   */
  record Call(
      Set<String> except,
      List<Form> forms,
      @Nullable String invocationId,
      @Nullable String returnChannel,
      @Nullable Origin origin)
      implements Payload {}

  /** A change of a group, for the server of the connection. */
  record GroupCommand(int id, String server, boolean isAdd, String group, String connectionId)
      implements Payload {}

  /** A group command was obeyed. */
  record Ack(int id) implements Payload {}

  /** The answer to a call. */
  record Result(Form answer) implements Payload {}

  /**
   * Which publish of which server it is. It stands on the wire as text, after the version of this
   * text: {@code 1:SERVER:NUMBER}.
   */
  record Origin(String server, long number) {
    private static final String VERSION = "1:";

    @Override
    public String toString() {
      return VERSION + server + ":" + number;
    }

    static @Nullable Origin parse(String text) {
      int colon = text.lastIndexOf(':');
      if (!text.startsWith(VERSION) || colon < VERSION.length()) {
        return null; // of a version to come
      }
      try {
        return new Origin(
            text.substring(VERSION.length(), colon), Long.parseLong(text.substring(colon + 1)));
      } catch (NumberFormatException e) {
        return null;
      }
    }
  }

  // ---- Writing

  /** Returns the bytes to publish. */
  default byte[] write() {
    PayloadWriter out = new PayloadWriter();
    switch (this) {
      case Call call -> {
        out.array(5);
        out.array(call.except().size());
        call.except().forEach(out::text);
        out.map(call.forms().size());
        for (Form form : call.forms()) {
          out.text(form.protocol());
          out.binary(form.bytes());
        }
        out.text(call.invocationId());
        out.text(call.returnChannel());
        Origin origin = call.origin();
        out.text(origin == null ? null : origin.toString());
      }
      case GroupCommand(int id, var server, boolean isAdd, var group, var connectionId) -> {
        out.array(5);
        out.number(id);
        out.text(server);
        out.number(isAdd ? 1 : 2);
        out.text(group);
        out.text(connectionId);
      }
      case Ack(int id) -> {
        out.array(1);
        out.number(id);
      }
      case Result(var answer) -> {
        out.array(2);
        out.text(answer.protocol());
        out.binary(answer.bytes());
      }
    }
    return out.bytes();
  }

  // ---- Reading

  static Call call(byte[] bytes) throws MalformedException {
    PayloadReader in = new PayloadReader(bytes);
    int items = in.array(2);
    Set<String> except = new HashSet<>();
    for (int left = in.array(0); left > 0; left--) {
      except.add(in.text());
    }
    List<Form> forms = forms(in);
    String invocationId = items > 2 ? in.textOrNull() : null;
    String returnChannel = items > 3 ? in.textOrNull() : null;
    String origin = items > 4 && in.isAtText() ? in.text() : null;
    if ((invocationId == null) != (returnChannel == null)) {
      throw new MalformedException("a call has only one of invocation id and return channel");
    }
    return new Call(
        except, forms, invocationId, returnChannel, origin == null ? null : Origin.parse(origin));
  }

  private static List<Form> forms(PayloadReader in) throws MalformedException {
    List<Form> forms = new ArrayList<>(2);
    for (int left = in.map(); left > 0; left--) {
      forms.add(form(in));
    }
    if (forms.isEmpty()) {
      throw new MalformedException("a call has no form");
    }
    return forms;
  }

  private static Form form(PayloadReader in) throws MalformedException {
    String protocol = in.text();
    ByteBuffer record = in.binary();
    return new Form(protocol, record);
  }

  static GroupCommand groupCommand(byte[] bytes) throws MalformedException {
    PayloadReader in = new PayloadReader(bytes);
    int _ = in.array(5);
    int id = in.number();
    String server = in.text();
    int action = in.number();
    if (action != 1 && action != 2) {
      throw new MalformedException("group command has the action " + action);
    }
    return new GroupCommand(id, server, action == 1, in.text(), in.text());
  }

  static Ack ack(byte[] bytes) throws MalformedException {
    PayloadReader in = new PayloadReader(bytes);
    int _ = in.array(1);
    return new Ack(in.number());
  }

  static Result result(byte[] bytes) throws MalformedException {
    PayloadReader in = new PayloadReader(bytes);
    int _ = in.array(2);
    return new Result(form(in));
  }
}
