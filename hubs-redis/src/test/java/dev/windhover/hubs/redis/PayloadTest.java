package dev.windhover.hubs.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.hubs.backplane.Form;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Payloads in bytes; those of the reference were recorded. */
class PayloadTest {
  /** {@code Result()}, asked of a connection. */
  private static final String ASKED =
      "9490" // four items; nobody is left out
          + "82" // a map of two
          + "a46a736f6ec454" // json
          + "7b2274797065223a312c22696e766f636174696f6e4964223a226e666a68536b4a7453556149626f2b364c"
          + "4358435577222c22746172676574223a22526573756c74222c22617267756d656e7473223a5b5d7d1e"
          + "ab6d6573736167657061636bc424" // messagepack
          + "23960180b66e666a68536b4a7453556149626f2b364c4358435577a6526573756c749090"
          + "b66e666a68536b4a7453556149626f2b364c4358435577" // the invocation's id
          + "d93b546573744875623a696e7465726e616c3a72657475726e3a766d5f6334363538333731653932393437"
          + "653338613836383931623432333634613731"; // the return channel

  private static byte[] bytes(String hex) {
    return HexFormat.of().parseHex(hex);
  }

  private static String hex(Payload payload) {
    return HexFormat.of().formatHex(payload.write());
  }

  private static Form form(String protocol, String record) {
    return new Form(protocol, ByteBuffer.wrap(record.getBytes(UTF_8)));
  }

  // ---- Calls

  @Test
  void aCallOfTheReferenceIsRead() throws MalformedException {
    Payload.Call call = Payload.call(bytes(ASKED));
    assertThat(call.except()).isEmpty();
    assertThat(call.invocationId()).isEqualTo("nfjhSkJtSUaIbo+6LCXCUw");
    assertThat(call.returnChannel())
        .isEqualTo("TestHub:internal:return:vm_c4658371e92947e38a86891b42364a71");
    assertThat(call.origin()).isNull();
    assertThat(call.forms()).extracting(Form::protocol).containsExactly("json", "messagepack");
    assertThat(UTF_8.decode(call.forms().getFirst().bytes().duplicate()).toString())
        .isEqualTo(
            "{\"type\":1,\"invocationId\":\"nfjhSkJtSUaIbo+6LCXCUw\",\"target\":\"Result\","
                + "\"arguments\":[]}\u001e");
  }

  @Test
  void oursHasAFifthItem() throws MalformedException {
    Payload.Call theirs = Payload.call(bytes(ASKED));
    Payload.Call ours =
        new Payload.Call(
            theirs.except(),
            theirs.forms(),
            theirs.invocationId(),
            theirs.returnChannel(),
            new Payload.Origin("vm_1", 17));
    assertThat(hex(ours)).isEqualTo("95" + ASKED.substring(2) + "a9313a766d5f313a3137");
    assertThat(Payload.call(ours.write()).origin()).isEqualTo(new Payload.Origin("vm_1", 17));
  }

  @Test
  void aCallThatAsksNothingHasNilsBeforeItsOrigin() {
    Payload.Call call =
        new Payload.Call(
            Set.of("a"), List.of(form("p", "x")), null, null, new Payload.Origin("s", 1));
    assertThat(hex(call)).isEqualTo("95" + "91a161" + "81a170c40178" + "c0c0" + "a5313a733a31");
  }

  @Test
  void aCallThatIsCutAnywhereIsRefused() {
    byte[] whole = bytes(ASKED);
    for (int length = 0; length < whole.length; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      assertThatThrownBy(() -> Payload.call(cut))
          .as("%d bytes", length)
          .isInstanceOf(MalformedException.class);
    }
  }

  @Test
  void whatFollowsACallIsPassedOver() throws MalformedException {
    assertThat(Payload.call(bytes(ASKED + "c1ffff")).origin()).isNull();
  }

  @ParameterizedTest
  @ValueSource(strings = {"2:s:1", "1:s", "1:s:x", "1", "", "1:s:"})
  void anOriginOfAnotherFormIsNone(String text) {
    assertThat(Payload.Origin.parse(text)).isNull();
  }

  @Test
  void aServersNameMayHaveColons() {
    assertThat(Payload.Origin.parse("1:a:b:7")).isEqualTo(new Payload.Origin("a:b", 7));
  }

  // ---- Lengths

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 0x1F, 0x20, 0xFF, 0x100, 0xFFFF, 0x10000, 0x20000})
  void textsAndFormsOfAnyLengthComeBack(int length) throws MalformedException {
    String text = "x".repeat(length);
    Payload.Call call = new Payload.Call(Set.of(text), List.of(form(text, text)), text, text, null);
    assertThat(Payload.call(call.write())).isEqualTo(call);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 15, 16, 0xFFFF, 0x10000})
  void anyNumberOfConnectionsMayBeLeftOut(int count) throws MalformedException {
    Set<String> except = new HashSet<>();
    for (int i = 0; i < count; i++) {
      except.add(String.valueOf(i));
    }
    Payload.Call call = new Payload.Call(except, List.of(form("p", "x")), null, null, null);
    assertThat(Payload.call(call.write()).except()).isEqualTo(except);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 0x7F, 0x80, 0xFF, 0x100, 0xFFFF, 0x10000, Integer.MAX_VALUE, -1})
  void numbersComeBack(int number) throws MalformedException {
    assertThat(Payload.ack(new Payload.Ack(number).write()).id()).isEqualTo(number);
  }

  // ---- The others

  @Test
  void aGroupCommandIsAsRecorded() throws MalformedException {
    String recorded =
        "9507d923766d5f313634663732336439306464343436656132646531363539303862346239396301a3666172"
            + "b64d41736865536c6c3736684b6e576279385749653177";
    Payload.GroupCommand command =
        new Payload.GroupCommand(
            7, "vm_164f723d90dd446ea2de165908b4b99c", true, "far", "MAsheSll76hKnWby8WIe1w");
    assertThat(hex(command)).isEqualTo(recorded);
    assertThat(Payload.groupCommand(bytes(recorded))).isEqualTo(command);
  }

  @Test
  void anAcknowledgementIsAsRecorded() throws MalformedException {
    assertThat(hex(new Payload.Ack(8))).isEqualTo("9108");
    assertThat(Payload.ack(bytes("9108"))).isEqualTo(new Payload.Ack(8));
  }

  @Test
  void aResultIsAsRecorded() throws MalformedException {
    String recorded =
        "92ab6d6573736167657061636bc41d"
            + "1c950380b638535843464c433632553673372b43346e7841314c770307";
    Payload.Result result = Payload.result(bytes(recorded));
    assertThat(result.answer().protocol()).isEqualTo("messagepack");
    assertThat(hex(result)).isEqualTo(recorded);
  }
}
