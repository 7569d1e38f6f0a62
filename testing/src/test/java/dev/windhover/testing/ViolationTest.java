package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.Message;
import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.Opcode;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.event.Level;

/** Violations by a peer and our answers: spec 4.5 to 4.7, with our differences. */
class ViolationTest {
  @RegisterExtension final SocketFixture server = new SocketFixture();

  private static Stream<Arguments> violations() {
    return Stream.of(
            // 5.2, the first byte
            violation("RSV1", "c1 80 00000000", 1002, "reserved bits set without an extension"),
            violation("RSV2", "a1 80 00000000", 1002, "reserved bits set without an extension"),
            violation("RSV3", "91 80 00000000", 1002, "reserved bits set without an extension"),
            violation(
                "RSV1 on a Ping", "c9 80 00000000", 1002, "reserved bits set without an extension"),
            violation("opcode 3", "83 80 00000000", 1002, "reserved opcode 3"),
            violation("opcode 7", "87 80 00000000", 1002, "reserved opcode 7"),
            violation("opcode 11", "8b 80 00000000", 1002, "reserved opcode 11"),
            violation("opcode 15", "8f 80 00000000", 1002, "reserved opcode 15"),
            // 5.1, masks
            violation("no mask", "81 02 6869", 1002, "client frame is not masked"),
            violation("no mask on a Ping", "89 00", 1002, "client frame is not masked"),
            // 5.2, lengths
            violation(
                "16 bits for 125", "82 fe 007d", 1002, "length 125 is not in its shortest form"),
            violation(
                "64 bits for 65535",
                "82 ff 000000000000ffff",
                1002,
                "length 65535 is not in its shortest form"),
            violation(
                "top bit of the length", "82 ff 80", 1002, "64-bit length with the top bit set"),
            // 5.4, fragments
            violation(
                "nothing to continue",
                "80 80 00000000",
                1002,
                "continuation frame without a message to continue"),
            violation(
                "text inside a message",
                "01 80 00000000 81 80 00000000",
                1002,
                "new message before the last one ended"),
            violation(
                "binary inside a message",
                "01 80 00000000 82 80 00000000",
                1002,
                "new message before the last one ended"),
            violation(
                "bits on a continuation",
                "01 80 00000000 c0 80 00000000",
                1002,
                "reserved bits set without an extension"),
            // 5.5, control frames
            violation("Ping in fragments", "09 80 00000000", 1002, "fragmented control frame"),
            violation("Close in fragments", "08 80 00000000", 1002, "fragmented control frame"),
            violation(
                "Ping of 126 bytes",
                "89 fe 007e 00000000",
                1002,
                "control frame exceeds limit of 125 bytes"),
            // 5.5.1, Close
            violation("Close of one byte", "88 81 00000000 03", 1002, "close frame of 1 byte"),
            violation(
                "Close 999",
                "88 82 00000000 03e7",
                1002,
                "close code 999 is not allowed in a frame"),
            violation(
                "Close 1004",
                "88 82 00000000 03ec",
                1002,
                "close code 1004 is not allowed in a frame"),
            violation(
                "Close 1005",
                "88 82 00000000 03ed",
                1002,
                "close code 1005 is not allowed in a frame"),
            violation(
                "Close 1006",
                "88 82 00000000 03ee",
                1002,
                "close code 1006 is not allowed in a frame"),
            violation(
                "Close 1015",
                "88 82 00000000 03f7",
                1002,
                "close code 1015 is not allowed in a frame"),
            violation(
                "Close 1016",
                "88 82 00000000 03f8",
                1002,
                "close code 1016 is not allowed in a frame"),
            violation(
                "Close 2999",
                "88 82 00000000 0bb7",
                1002,
                "close code 2999 is not allowed in a frame"),
            violation(
                "Close 5000",
                "88 82 00000000 1388",
                1002,
                "close code 5000 is not allowed in a frame"),
            violation(
                "Close whose reason is not UTF-8",
                "88 83 00000000 03e8 ff",
                1007,
                "close reason is not valid UTF-8"),
            // 8.1, UTF-8
            violation(
                "stray continuation byte", "81 81 00000000 80", 1007, "text is not valid UTF-8"),
            violation("overlong slash", "81 82 00000000 c0af", 1007, "text is not valid UTF-8"),
            violation("surrogate", "81 83 00000000 eda080", 1007, "text is not valid UTF-8"),
            violation(
                "beyond U+10FFFF", "81 84 00000000 f4908080", 1007, "text is not valid UTF-8"),
            violation("cut character", "81 82 00000000 61c3", 1007, "text is not valid UTF-8"),
            violation(
                "not UTF-8 in a fragment that is not the last",
                "01 82 00000000 61ff",
                1007,
                "text is not valid UTF-8"))
        .flatMap(arguments ->
            Stream.of(Form.values())
                .map(form ->
                    argumentSet(
                        form + ", " + ((Arguments.ArgumentSet) arguments).getName(),
                        form,
                        arguments.get()[0],
                        arguments.get()[1],
                        arguments.get()[2])));
  }

  private static Arguments violation(String name, String hex, int code, String text) {
    return argumentSet(name, hex, code, text);
  }

  /** And a good message before it, in the same read, is echoed first. */
  @ParameterizedTest
  @MethodSource("violations")
  void aViolationClosesBehindTheGoodMessagesBeforeIt(Form form, String hex, int code, String text) {
    TestFrames client = server.echo(form);
    client.sendHex("82 81 00000000 2a" + hex);
    assertThat(client.receive()).isEqualTo(Frame.binary((byte) 42));
    assertFailed(client, code, text);
  }

  @ParameterizedTest
  @MethodSource("violations")
  void aViolationIsTheSameByteByByte(Form form, String hex, int code, String text) {
    TestFrames client = server.echo(form);
    client.cutEvery(1).sendHex(hex);
    assertFailed(client, code, text);
  }

  private void assertFailed(TestFrames client, int code, String text) {
    assertThat(client.receiveClose()).isEqualTo(new CloseReason(code, text));
    client.expectEnd();
    client.end();
    assertThat(server.ending())
        .isEqualTo(new Ending(Ending.By.SERVER, new CloseReason(code, text), text));
    assertThat(SocketFixture.log(Level.DEBUG))
        .filteredOn(line -> line.contains("violated the protocol: " + text))
        .hasSize(1);
    assertThat(CapturedLog.lines(Level.DEBUG)).allMatch(line -> line.thrown() == null);
  }

  private static Stream<Arguments> cuts() {
    // "aä€𝄞" and then a byte that is no UTF-8.
    byte[] text = HexFormat.of().parseHex("61c3a4e282acf09d849eff");
    return Stream.of(Form.values())
        .flatMap(
            form -> IntStream.range(0, text.length).mapToObj(at -> Arguments.of(form, text, at)));
  }

  @ParameterizedTest
  @MethodSource("cuts")
  void textThatIsNotUtf8FailsHoweverItIsCut(Form form, byte[] text, int at) {
    TestFrames client = server.echo(form);
    client.send(
        client.frame(Opcode.TEXT, false, ByteBuffer.wrap(text, 0, at)),
        client.frame(Opcode.CONTINUATION, true, ByteBuffer.wrap(text, at, text.length - at)));
    assertFailed(client, 1007, "text is not valid UTF-8");
  }

  /** Nothing is allocated for the declared length, and bytes keep coming. */
  @Test
  void aFrameThatDeclares2To62BytesIsStreamed() throws Exception {
    TestFrames client = server.hold();
    client.sendHex("82 ff 4000000000000000 00000000 01 02 03");
    ByteBuffer buffer = ByteBuffer.allocate(3);
    assertThat(server.socket().receive(buffer).count()).isEqualTo(3);
    assertThat(buffer.array()).containsExactly(1, 2, 3);
    client.reset();
    assertThat(server.socket().receive(buffer.clear()).isClose()).isTrue();
  }

  @ParameterizedTest
  @EnumSource
  void aMessageThatDeclares2To62BytesIsTooBigAtItsHeader(Form form) {
    TestFrames client = server.echo(form);
    client.sendHex("82 ff 4000000000000000 00000000 01");
    assertFailedQuietly(client, "message of 4611686018427387904 bytes exceeds limit of 1048576");
  }

  @ParameterizedTest
  @EnumSource
  void aMessageOverTheLimitIsTooBig(Form form) {
    server.settings(settings -> settings.maxMessageSize(1000));
    TestFrames client = server.echo(form);
    client.sendBinary(new byte[1000]);
    assertThat(client.receiveBinary()).hasSize(1000);
    client.sendBinary(new byte[1001]);
    assertFailedQuietly(client, "message of 1001 bytes exceeds limit of 1000");
  }

  @ParameterizedTest
  @EnumSource
  void fragmentsOverTheLimitAreTooBig(Form form) {
    server.settings(settings -> settings.maxMessageSize(1000));
    TestFrames client = server.echo(form);
    client.send(Opcode.BINARY, false, ByteBuffer.allocate(600));
    client.send(Opcode.CONTINUATION, true, ByteBuffer.allocate(401));
    assertFailedQuietly(client, "message of 1001 bytes exceeds limit of 1000");
  }

  private void assertFailedQuietly(TestFrames client, String text) {
    assertThat(client.receiveClose()).isEqualTo(new CloseReason(1009, text));
    client.expectEnd();
    client.end();
    assertThat(server.ending())
        .isEqualTo(new Ending(Ending.By.SERVER, new CloseReason(1009, text), text));
    assertThat(server.events()).containsOnlyOnce("limit message size");
  }

  /** Whatever follows a message that is too big is ignored, even a Close. */
  @ParameterizedTest
  @EnumSource
  void aMessageThatIsTooBigGoesBeforeTheCloseBehindIt(Form form) {
    server.settings(settings -> settings.maxMessageSize(1000));
    TestFrames client = server.echo(form);
    client.send(
        client.frame(Opcode.BINARY, true, ByteBuffer.allocate(1001)),
        client.frame(Opcode.TEXT, true, Frame.utf8("behind")),
        client.frame(Opcode.CLOSE, true, CloseReason.of(1000).toPayload()));
    assertFailedQuietly(client, "message of 1001 bytes exceeds limit of 1000");
  }

  @ParameterizedTest
  @EnumSource
  void aResetInTheMiddleOfAMessageIsALostConnection(Form form) {
    TestFrames client = server.echo(form);
    client.sendText("whole");
    assertThat(client.receiveText()).isEqualTo("whole");
    client.sendHex("81 85 37fa213d 7f 9f"); // "He", of "Hello"
    client.reset();
    assertThat(server.ending())
        .isEqualTo(
            new Ending(
                Ending.By.CONNECTION, CloseReason.of(1006), "the peer reset the connection"));
  }

  @ParameterizedTest
  @EnumSource
  void anEndInTheMiddleOfAMessageIsALostConnection(Form form) {
    TestFrames client = server.echo(form);
    client.sendHex("81 85 37fa213d 7f 9f").end(); // "He", of "Hello"
    client.expectEnd();
    assertThat(server.ending())
        .isEqualTo(
            new Ending(
                Ending.By.CONNECTION,
                CloseReason.of(1006),
                "the peer ended the connection without a close frame"));
  }

  @Test
  void afterAViolationTheHandlerSeesTheEnd() throws Exception {
    TestFrames client = server.hold();
    client.sendText("good").sendHex("83 80 00000000");
    assertThat(server.socket().receiveMessage()).isEqualTo(new Message.Text("good"));
    assertThat(server.socket().receiveMessage()).isNull();
    assertThat(server.socket().closeStatus()).as("no Close has come").isZero();
    assertThat(client.receiveClose().code()).isEqualTo(1002);
    client.expectEnd();
    client.end();
    server.ending();
    assertThat(server.socket().closeStatus()).isEqualTo(1006);
  }

  @ParameterizedTest
  @EnumSource
  void otherSocketsAreServedOn(Form form) {
    TestFrames bad = server.echo(form);
    TestFrames good = server.host().webSocket("/").connect().frames();
    bad.sendHex("83 80 00000000");
    assertThat(bad.receiveClose().code()).isEqualTo(1002);
    bad.expectEnd();
    good.sendText("still here");
    assertThat(good.receiveText()).isEqualTo("still here");
    good.close();
  }
}
