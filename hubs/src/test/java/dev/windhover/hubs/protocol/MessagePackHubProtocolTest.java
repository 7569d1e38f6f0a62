package dev.windhover.hubs.protocol;

import static dev.windhover.hubs.protocol.Messages.BAD_ARGUMENTS;
import static dev.windhover.hubs.protocol.Messages.HUB;
import static dev.windhover.hubs.protocol.Messages.failure;
import static dev.windhover.hubs.protocol.Wire.hex;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.windhover.hubs.connections.TransferFormat;
import dev.windhover.hubs.protocol.HubMessage.Ack;
import dev.windhover.hubs.protocol.HubMessage.BindingFailure;
import dev.windhover.hubs.protocol.HubMessage.CancelInvocation;
import dev.windhover.hubs.protocol.HubMessage.Close;
import dev.windhover.hubs.protocol.HubMessage.Completion;
import dev.windhover.hubs.protocol.HubMessage.Invocation;
import dev.windhover.hubs.protocol.HubMessage.Ping;
import dev.windhover.hubs.protocol.HubMessage.ResultBindingFailure;
import dev.windhover.hubs.protocol.HubMessage.Sequence;
import dev.windhover.hubs.protocol.HubMessage.StreamBindingFailure;
import dev.windhover.hubs.protocol.HubMessage.StreamInvocation;
import dev.windhover.hubs.protocol.HubMessage.StreamItem;
import dev.windhover.hubs.protocol.Messages.Custom;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Messages and errors as the reference has them; most were asked of it. */
class MessagePackHubProtocolTest {
  private static final String ECHO = "a4 4563686f";
  private static final String ADD = "a3 416464";
  private static final String NONE = "a4 4e6f6e65";
  private static final String ANYTHING = "a8 416e797468696e67";
  private static final String NUMBERS = "a7 6e756d62657273";
  private static final String S1 = "a2 7331";

  private final MessagePackHubProtocol messagePack =
      new MessagePackHubProtocol(ValueOptions.DEFAULT);

  private @Nullable HubMessage read(String record) throws InvalidDataException {
    return messagePack.read(hex(record), HUB);
  }

  private void reads(String record, HubMessage message) throws InvalidDataException {
    assertThat(read(record)).isEqualTo(message);
  }

  private void refuses(String record, String details) {
    assertThatExceptionOfType(InvalidDataException.class)
        .as(record)
        .isThrownBy(() -> read(record))
        .satisfies(e -> assertThat(e.details()).startsWith(details));
  }

  private void refusesAsMalformed(String record) {
    refuses(record, "MessagePackSerializationException: ");
  }

  private void writes(HubMessage message, String record) {
    assertThat(hex(messagePack.write(message))).isEqualTo(record.replace(" ", ""));
  }

  @Test
  void itIsBinary() {
    assertThat(messagePack.name()).isEqualTo("messagepack");
    assertThat(messagePack.version()).isEqualTo(2);
    assertThat(messagePack.transferFormat()).isEqualTo(TransferFormat.BINARY);
    assertThat(messagePack.recordFormat()).isEqualTo(RecordFormat.LENGTH_PREFIXED);
  }

  @Nested
  class Reading {
    @Test
    void invocation() throws Exception {
      reads("96 01 80 a1 31" + ADD + "92 01 02 90", new Invocation("1", "Add", List.of(1, 2)));
    }

    @Test
    void anIdThatIsNilOrEmptyIsNone() throws Exception {
      reads("96 01 80 c0" + ECHO + "91 a1 78 90", new Invocation(null, "Echo", List.of("x")));
      reads("96 01 80 a0" + ECHO + "91 a1 78 90", new Invocation(null, "Echo", List.of("x")));
    }

    @Test
    void streamIdsMayBeLeftOut() throws Exception {
      reads("95 01 80 a1 31" + ECHO + "91 a1 78", new Invocation("1", "Echo", List.of("x")));
    }

    @Test
    void itemsBehindTheLastAreIgnored() throws Exception {
      reads(
          "97 01 80 a1 31" + ECHO + "91 a1 78 90 a4 6d6f7265",
          new Invocation("1", "Echo", List.of("x")));
      reads("93 06 c0 c0", Ping.INSTANCE);
      reads("94 07 c0 c3 01", new Close(null, true));
    }

    @Test
    void headersAndStreamIds() throws Exception {
      reads(
          "96 01 81 a1 61 a1 62 c0" + NONE + "90 92 a1 31 a1 32",
          new Invocation(Map.of("a", "b"), null, "None", List.of(), List.of("1", "2")));
    }

    @Test
    void streamInvocation() throws Exception {
      reads(
          "96 04 80 a1 31" + NONE + "90 90",
          new StreamInvocation(Map.of(), "1", "None", List.of(), List.of()));
    }

    @Test
    void argumentsOfAnUnknownMethodAreSkipped() throws Exception {
      reads(
          "96 01 80 a1 31 a2 4e6f 93 01 81 a1 61 90 c7 01 05 00 91 a1 39",
          new Invocation(Map.of(), "1", "No", List.of(), List.of("9")));
    }

    @Test
    void itemsAndResultsThatNobodyWaitsForAreSkipped() throws Exception {
      reads("94 02 80 a2 3737 91 01", new StreamItem("77", null));
      reads("95 03 80 a2 3737 03 91 01", Completion.of("77", null));
    }

    @Test
    void values() throws Exception {
      reads("94 02 80" + NUMBERS + "05", new StreamItem("numbers", 5));
      reads("95 03 80" + S1 + "03 05", Completion.of("s1", 5));
      reads("95 03 80" + S1 + "01 a1 78", Completion.failed("s1", "x"));
      reads("94 03 80" + S1 + "02", Completion.empty("s1"));
    }

    @Test
    void messagesWithoutValues() throws Exception {
      reads("93 05 80 a1 31", new CancelInvocation("1"));
      reads("91 06", Ping.INSTANCE);
      reads("92 07 c0", new Close(null, false));
      reads("93 07 a1 78 c3", new Close("x", true));
      reads("92 08 cf 0000000218711a00", new Ack(9_000_000_000L));
      reads("92 09 01", new Sequence(1));
    }

    @Test
    void messagesOfUnknownTypesAreNone() throws Exception {
      assertThat(read("91 63")).isNull();
      assertThat(read("92 0a c0")).isNull();
      assertThat(read("91 ff")).isNull();
    }

    @Test
    void headersOfEveryLengthAreRead() throws Exception {
      reads("dc 0001 06", Ping.INSTANCE);
      reads("dd 00000001 06", Ping.INSTANCE);
      reads("91 cc 06", Ping.INSTANCE);
      reads("91 d3 0000000000000006", Ping.INSTANCE);
      reads("92 07 d9 01 78", new Close("x", false));
      reads("92 07 da 0001 78", new Close("x", false));
      reads("92 07 db 00000001 78", new Close("x", false));
      reads("93 05 de 0000 a1 31", new CancelInvocation("1"));
      reads("93 05 df 00000000 a1 31", new CancelInvocation("1"));
    }

    @Test
    void messagesInDirectMemoryAreRead() throws Exception {
      ByteBuffer direct = ByteBuffer.allocateDirect(8).put(3, new byte[] {(byte) 0x91, 6});
      assertThat(messagePack.read(direct.position(3).limit(5), HUB)).isEqualTo(Ping.INSTANCE);
    }
  }

  @Nested
  class Misfits {
    private void failsToBind(String arguments, String details) throws InvalidDataException {
      HubMessage message = read("96 01 80 a1 31" + ADD + arguments + "90");
      assertThat(message).isInstanceOf(BindingFailure.class);
      BindingFailure failure = (BindingFailure) message;
      assertThat(failure.invocationId()).isEqualTo("1");
      assertThat(failure.target()).isEqualTo("Add");
      assertThat(failure(failure)).isEqualTo(details);
    }

    @Test
    void aWrongNumberOfArgumentsFailsTheCallAlone() throws Exception {
      failsToBind(
          "91 01", "InvalidDataException: Invocation provides 1 argument(s) but target expects 2.");
      failsToBind(
          "93 01 02 91 03",
          "InvalidDataException: Invocation provides 3 argument(s) but target expects 2.");
    }

    @Test
    void anArgumentOfAnotherTypeFailsTheCallAlone() throws Exception {
      failsToBind("92 a1 78 01", BAD_ARGUMENTS);
      failsToBind("92 82 a1 61 91 01 a1 62 c0 01", BAD_ARGUMENTS);
      failsToBind("92 01 c0", BAD_ARGUMENTS);
      failsToBind("92 01 ce ffffffff", BAD_ARGUMENTS);
      failsToBind("92 01 c4 00", BAD_ARGUMENTS);
    }

    @Test
    void argumentsThatAreNoArrayFailTheCallAlone() throws Exception {
      failsToBind("81 c0 c0", "InvalidDataException: Reading array length for 'arguments' failed.");
    }

    @Test
    void anItemOfAnotherTypeFailsItsStreamAlone() throws Exception {
      assertThat(read("94 02 80" + NUMBERS + "a1 78")).isInstanceOf(StreamBindingFailure.class);
    }

    @Test
    void aResultOfAnotherTypeFailsItsCallAlone() throws Exception {
      HubMessage message = read("95 03 80" + S1 + "03 a1 78");
      assertThat(message).isInstanceOf(ResultBindingFailure.class);
      assertThat(failure(message))
          .startsWith("InvalidDataException: Error trying to deserialize result to int. ");
    }
  }

  @Nested
  class Malformed {
    @Test
    void fieldsThatAreMissingOrMistypedAreNamed() {
      String name = "InvalidDataException: ";
      refuses("92 a1 31 80", name + "Reading 'messageType' as Int32 failed.");
      refuses("91 ce ffffffff", name + "Reading 'messageType' as Int32 failed.");
      refuses("96 01 90 a1 31" + ECHO + "90 90", name + "Reading map length for 'headers' failed.");
      refuses("93 01 81 a1 61 05", name + "Reading 'headers[0].Value' as String failed.");
      refuses("96 01 80 05" + ECHO, name + "Reading 'invocationId' as String failed.");
      refuses("94 01 80 a1 31 05", name + "Reading 'target' as String failed.");
      refuses("94 01 80 a1 31 c0", name + "Null or empty target for Invocation message.");
      refuses("94 04 80 a1 31 a0", name + "Null or empty target for StreamInvocation message.");
      refuses(
          "96 01 80 a1 31" + ECHO + "91 a1 78 c0",
          name + "Reading array length for 'streamIds' failed.");
      refuses("94 02 80 c0 01", name + "Null or empty invocation ID for StreamItem message.");
      refuses("94 03 80 a0 02", name + "Null or empty invocation ID for Completion message.");
      refuses("93 05 80 c0", name + "Null or empty invocation ID for CancelInvocation message.");
      refuses(
          "96 04 80 a0" + NONE + "90 90",
          name + "Null or empty invocation ID for StreamInvocation message.");
      refuses("93 03 80 a1 31", name + "Reading 'resultKind' as Int32 failed.");
      refuses("94 03 80 a1 31 04", name + "Invalid invocation result kind.");
      refuses("91 07", name + "Reading 'error' as String failed.");
      refuses("93 07 c0 05", name + "Reading 'allowReconnect' as Boolean failed.");
      refuses("91 08", name + "Reading 'sequenceId' as Int64 failed.");
      refuses("92 09 cf ffffffffffffffff", name + "Reading 'sequenceId' as Int64 failed.");
    }

    @Test
    void aMessageIsAnArray() {
      refusesAsMalformed("c0");
      refusesAsMalformed("80");
      refusesAsMalformed("");
    }

    @Test
    void valuesThatAreCutAreRefused() {
      String call = "96 01 80 a1 31" + ANYTHING;
      refusesAsMalformed(call);
      refusesAsMalformed(call + "91");
      for (String value :
          List.of(
              "a2 78",
              "d9 02 78",
              "da 0002 78",
              "db 00000002 78",
              "d9",
              "c4 02 00",
              "c5 0002 00",
              "c6 00000002 00",
              "92 01",
              "dc 0002 01",
              "dd 00000002 01",
              "81 a1 61",
              "de 0001 a1 61",
              "df 00000001 a1 61",
              "cc",
              "cd 00",
              "ce 000000",
              "cf 00000000000000",
              "d0",
              "d1 00",
              "d2 000000",
              "d3 00",
              "ca 000000",
              "cb 00",
              "d6 ff 000000",
              "d7 ff 00",
              "c7 0c ff 00",
              "c7",
              "d4 01",
              "c1")) {
        refusesAsMalformed(call + "91" + value);
        refusesAsMalformed("96 01 80 a1 31 a2 4e6f 91" + value); // skipped
      }
    }

    @Test
    void enormousLengthsTakeNoMemory() {
      String call = "96 01 80 a1 31" + ANYTHING + "91";
      for (String value :
          List.of(
              "db 7fffffff",
              "db ffffffff",
              "c6 7fffffff",
              "dd 7fffffff",
              "dd ffffffff",
              "df 7fffffff",
              "df ffffffff",
              "c9 7fffffff ff")) {
        refusesAsMalformed(call + value);
      }
      refuses("96 01 df 7fffffff", "InvalidDataException: ");
      refusesAsMalformed("dd 7fffffff 06");
    }

    @Test
    void timestampsThatAreNoneAreRefused() {
      String call = "96 01 80 a1 31" + ANYTHING + "91";
      refusesAsMalformed(call + "d7 ff ffffffff00000000"); // more than a second of nanoseconds
      refusesAsMalformed(call + "c7 0c ff 00000000 7fffffffffffffff");
      refusesAsMalformed(call + "d4 ff 00");
      refusesAsMalformed(call + "d6 05 00000000"); // another extension
    }

    @Test
    void sixtyFourLevelsAreEnough() throws Exception {
      String call = "96 01 80 a1 31" + ANYTHING + "91";
      assertThat(read(call + "91".repeat(62) + "01 90")).isInstanceOf(Invocation.class);
      refusesAsMalformed(call + "91".repeat(63) + "01 90");
      String skipped = "96 01 80 a1 31 a2 4e6f 91";
      assertThat(read(skipped + "91".repeat(62) + "01 90")).isInstanceOf(Invocation.class);
      refusesAsMalformed(skipped + "91".repeat(63) + "01 90");
    }

    @Test
    void textThatIsNoUtf8IsReplaced() throws Exception {
      reads(
          "96 01 80 a1 31" + ECHO + "91 a1 ff 90", new Invocation("1", "Echo", List.of("\ufffd")));
    }
  }

  @Nested
  class Writing {
    @Test
    void invocationsHaveSixItems() {
      writes(
          new Invocation(null, "Message", Arrays.asList("x", null)),
          "11 96 01 80 c0 a7 4d657373616765 92 a1 78 c0 90");
      writes(
          new Invocation(Map.of("a", "b"), "s1", "Ask", List.of(1), List.of("9")),
          "13 96 01 81 a1 61 a1 62 a2 7331 a3 41736b 91 01 91 a1 39");
    }

    @Test
    void streamInvocation() {
      writes(
          new StreamInvocation(Map.of(), "1", "Count", List.of(3), List.of()),
          "0e 96 04 80 a1 31 a5 436f756e74 91 03 90");
    }

    @Test
    void streamItem() {
      writes(new StreamItem("1", null), "06 94 02 80 a1 31 c0");
      writes(
          new StreamItem("1", new Custom("n", 1)),
          "14 94 02 80 a1 31 82 a4 4e616d65 a1 6e a5 56616c7565 01");
    }

    @Test
    void completion() {
      writes(Completion.of("1", "x"), "08 95 03 80 a1 31 03 a1 78");
      writes(Completion.of("1", null), "07 95 03 80 a1 31 03 c0");
      writes(Completion.empty("1"), "06 94 03 80 a1 31 02");
      writes(Completion.failed("1", "x"), "08 95 03 80 a1 31 01 a1 78");
    }

    @Test
    void messagesWithoutValues() {
      writes(new CancelInvocation("1"), "05 93 05 80 a1 31");
      writes(Ping.INSTANCE, "02 91 06");
      writes(new Close(null, false), "04 93 07 c0 c2");
      writes(new Close("x", true), "05 93 07 a1 78 c3");
      writes(new Ack(1), "03 92 08 01");
      writes(new Sequence(9_000_000_000L), "0b 92 09 cf 0000000218711a00");
    }

    @Test
    void lengthsHaveSevenBitsInEachByte() {
      String text = "78".repeat(200);
      writes(new StreamItem("1", "x".repeat(200)), "cf 01 94 02 80 a1 31 d9 c8" + text);
      ByteBuffer record = messagePack.write(new StreamItem("1", "x".repeat(20_000)));
      assertThat(hex(record)).startsWith("a89c01" + "940280a131" + "da4e20");
      assertThat(record.capacity()).isEqualTo(record.remaining());
    }

    @Test
    void aFailureOfBindingIsNoMessage() {
      InvalidDataException error = new InvalidDataException("x");
      for (HubMessage message :
          List.of(
              new BindingFailure("1", "Echo", false, error),
              new StreamBindingFailure("1", error),
              new ResultBindingFailure("1", error))) {
        assertThatIllegalArgumentException().isThrownBy(() -> messagePack.write(message));
      }
    }

    @Test
    void whatIsNestedTooDeepIsNotWritten() {
      Object value = 1;
      for (int i = 0; i < 65; i++) {
        value = List.of(value);
      }
      Object deep = value;
      assertThatIllegalArgumentException()
          .isThrownBy(() -> messagePack.write(new StreamItem("1", deep)));
    }
  }
}
