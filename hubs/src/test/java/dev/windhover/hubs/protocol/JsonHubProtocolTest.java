package dev.windhover.hubs.protocol;

import static dev.windhover.hubs.protocol.Messages.BAD_ARGUMENTS;
import static dev.windhover.hubs.protocol.Messages.HUB;
import static dev.windhover.hubs.protocol.Messages.failure;
import static dev.windhover.hubs.protocol.Wire.utf8;
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
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Messages and errors as the reference has them; most were asked of it. */
class JsonHubProtocolTest {
  private final JsonHubProtocol json = new JsonHubProtocol(ValueOptions.DEFAULT);

  private @Nullable HubMessage read(String record) throws InvalidDataException {
    return json.read(utf8(record), HUB);
  }

  private void reads(String record, HubMessage message) throws InvalidDataException {
    assertThat(read(record)).isEqualTo(message);
  }

  private void refuses(String record, String message) {
    assertThatExceptionOfType(InvalidDataException.class)
        .as(record)
        .isThrownBy(() -> read(record))
        .satisfies(e -> assertThat(e.details()).isEqualTo("InvalidDataException: " + message));
  }

  private void writes(HubMessage message, String text) {
    assertThat(utf8(json.write(message))).isEqualTo(text + "\u001e");
  }

  @Test
  void itIsText() {
    assertThat(json.name()).isEqualTo("json");
    assertThat(json.version()).isEqualTo(2);
    assertThat(json.transferFormat()).isEqualTo(TransferFormat.TEXT);
    assertThat(json.recordFormat()).isEqualTo(RecordFormat.SEPARATED);
  }

  @Nested
  class Reading {
    @Test
    void invocation() throws Exception {
      reads(
          "{\"type\":1,\"invocationId\":\"1\",\"target\":\"Add\",\"arguments\":[1,2]}",
          new Invocation("1", "Add", List.of(1, 2)));
      reads(
          "{\"type\":1,\"target\":\"Echo\",\"arguments\":[null]}",
          new Invocation(null, "Echo", Collections.singletonList(null)));
    }

    @Test
    void anEmptyIdIsNone() throws Exception {
      reads(
          "{\"type\":1,\"invocationId\":\"\",\"target\":\"Echo\",\"arguments\":[\"x\"]}",
          new Invocation(null, "Echo", List.of("x")));
    }

    @Test
    void propertiesComeInAnyOrder() throws Exception {
      reads(
          "{ \"arguments\" : [ {\"Name\":\"é\"} ] , \"invocationId\":\"1\",\"target\":\"EchoCustom\",\"type\":1}",
          new Invocation("1", "EchoCustom", List.of(new Custom("é", 0))));
      reads("{\"item\":5,\"invocationId\":\"numbers\",\"type\":2}", new StreamItem("numbers", 5));
      reads("{\"result\": 5 ,\"invocationId\":\"s1\",\"type\":3}", Completion.of("s1", 5));
    }

    @Test
    void valuesThatComeFirstAreFoundInAnyMemory() throws Exception {
      ByteBuffer record = utf8("{\"arguments\":[\"é\",1],\"target\":\"Echo\",\"type\":1}");
      for (ByteBuffer memory : List.of(ByteBuffer.allocate(200), ByteBuffer.allocateDirect(200))) {
        memory.position(7).put(record.duplicate()).flip().position(7);
        assertThat(failure(json.read(memory.slice(), HUB)))
            .endsWith("Invocation provides 2 argument(s) but target expects 1.");
        assertThat(failure(json.read(memory, HUB)))
            .endsWith("Invocation provides 2 argument(s) but target expects 1.");
      }
    }

    @Test
    void theLastOfTwoPropertiesOfOneNameCounts() throws Exception {
      reads(
          "{\"type\":1,\"target\":\"Echo\",\"target\":\"None\",\"arguments\":[]}",
          new Invocation(null, "None", List.of()));
      reads(
          "{\"type\":1,\"target\":\"Echo\",\"arguments\":[1],\"arguments\":[\"x\"]}",
          new Invocation(null, "Echo", List.of("x")));
    }

    @Test
    void unknownPropertiesAreSkipped() throws Exception {
      reads(
          "{\"more\":{\"a\":[1]},\"type\":1,\"target\":\"None\",\"arguments\":[],\"x\":null}",
          new Invocation(null, "None", List.of()));
    }

    @Test
    void headersAndStreamIds() throws Exception {
      reads(
          "{\"type\":1,\"headers\":{\"traceparent\":\"00-1\"},\"target\":\"None\",\"arguments\":[],"
              + "\"streamIds\":[\"1\",\"2\"]}",
          new Invocation(
              Map.of("traceparent", "00-1"), null, "None", List.of(), List.of("1", "2")));
    }

    @Test
    void streamInvocation() throws Exception {
      reads(
          "{\"type\":4,\"invocationId\":\"1\",\"target\":\"None\",\"arguments\":[]}",
          new StreamInvocation(Map.of(), "1", "None", List.of(), List.of()));
    }

    @Test
    void argumentsOfAnUnknownMethodAreSkipped() throws Exception {
      reads(
          "{\"type\":1,\"target\":\"NoSuch\",\"arguments\":[1,{\"a\":[]}]}",
          new Invocation(null, "NoSuch", List.of()));
      reads("{\"type\":1,\"target\":\"\",\"arguments\":[1]}", new Invocation(null, "", List.of()));
    }

    @Test
    void itemsAndResultsThatNobodyWaitsForAreSkipped() throws Exception {
      reads("{\"type\":2,\"invocationId\":\"77\",\"item\":[1]}", new StreamItem("77", null));
      reads("{\"type\":3,\"invocationId\":\"77\",\"result\":[1]}", Completion.of("77", null));
    }

    @Test
    void completion() throws Exception {
      reads("{\"type\":3,\"invocationId\":\"s1\"}", Completion.empty("s1"));
      reads("{\"type\":3,\"invocationId\":\"s1\",\"result\":1}", Completion.of("s1", 1));
      reads("{\"type\":3,\"invocationId\":\"s1\",\"error\":\"x\"}", Completion.failed("s1", "x"));
    }

    @Test
    void anErrorBesideANullResultIsAnError() throws Exception {
      reads(
          "{\"type\":3,\"invocationId\":\"s1\",\"error\":\"x\",\"result\":null}",
          Completion.failed("s1", "x"));
      reads(
          "{\"result\":null,\"type\":3,\"invocationId\":\"77\",\"error\":\"x\"}",
          Completion.failed("77", "x"));
    }

    @Test
    void anErrorBesideAResultIsRefused() {
      String message = "The 'error' and 'result' properties are mutually exclusive.";
      refuses("{\"type\":3,\"invocationId\":\"s1\",\"result\":1,\"error\":\"x\"}", message);
      refuses("{\"type\":3,\"invocationId\":\"77\",\"error\":\"x\",\"result\":1}", message);
      refuses("{\"result\":1,\"type\":3,\"invocationId\":\"s1\",\"error\":\"x\"}", message);
      refuses("{\"type\":3,\"invocationId\":\"s1\",\"result\":\"1\",\"error\":\"x\"}", message);
    }

    @Test
    void messagesWithoutValues() throws Exception {
      reads("{\"type\":5,\"invocationId\":\"1\"}", new CancelInvocation("1"));
      reads("{\"type\":6}", Ping.INSTANCE);
      reads("{\"type\":7}", new Close(null, false));
      reads("{\"type\":7,\"error\":\"x\",\"allowReconnect\":true}", new Close("x", true));
      reads("{\"type\":8,\"sequenceId\":9000000000}", new Ack(9_000_000_000L));
      reads("{\"type\":9,\"sequenceId\":1}", new Sequence(1));
    }

    @Test
    void messagesOfUnknownTypesAreNone() throws Exception {
      assertThat(read("{\"type\":99,\"x\":[1]}")).isNull();
      assertThat(read("{\"type\":0}")).isNull();
    }
  }

  @Nested
  class Misfits {
    private void failsToBind(String arguments, String details) throws InvalidDataException {
      for (String record :
          List.of(
              "{\"type\":1,\"target\":\"Add\",\"arguments\":%s,\"invocationId\":\"1\"}",
              "{\"arguments\":%s,\"type\":1,\"target\":\"Add\",\"invocationId\":\"1\"}")) {
        HubMessage message = read(record.formatted(arguments));
        assertThat(message).isInstanceOf(BindingFailure.class);
        BindingFailure failure = (BindingFailure) message;
        assertThat(failure.invocationId()).isEqualTo("1");
        assertThat(failure.target()).isEqualTo("Add");
        assertThat(failure.isStream()).isFalse();
        assertThat(failure(failure)).isEqualTo(details);
      }
    }

    @Test
    void aWrongNumberOfArgumentsFailsTheCallAlone() throws Exception {
      failsToBind(
          "[1]", "InvalidDataException: Invocation provides 1 argument(s) but target expects 2.");
      failsToBind(
          "[1,2,[3]]",
          "InvalidDataException: Invocation provides 3 argument(s) but target expects 2.");
    }

    @Test
    void anArgumentOfAnotherTypeFailsTheCallAlone() throws Exception {
      failsToBind("[\"one\",2]", BAD_ARGUMENTS);
      failsToBind("[{\"a\":[1,{\"b\":2}]},2]", BAD_ARGUMENTS);
      failsToBind("[[[1]],2]", BAD_ARGUMENTS);
      failsToBind("[1,1.5]", BAD_ARGUMENTS);
      failsToBind("[1,3000000000]", BAD_ARGUMENTS);
      failsToBind("[1,null]", BAD_ARGUMENTS);
      failsToBind("[\"one\"]", BAD_ARGUMENTS);
    }

    @Test
    void aStreamsCallFailsAsOne() throws Exception {
      HubMessage message =
          read("{\"type\":4,\"invocationId\":\"1\",\"target\":\"Add\",\"arguments\":[]}");
      assertThat(message).isInstanceOf(BindingFailure.class);
      assertThat(((BindingFailure) message).isStream()).isTrue();
    }

    @Test
    void aCommaAfterTheLastArgumentFailsTheCallAlone() throws Exception {
      HubMessage message =
          read("{\"type\":1,\"invocationId\":\"1\",\"target\":\"Echo\",\"arguments\":[\"x\",]}");
      assertThat(failure(message)).startsWith("JsonReaderException: ");
    }

    @Test
    void anItemOfAnotherTypeFailsItsStreamAlone() throws Exception {
      HubMessage message = read("{\"type\":2,\"invocationId\":\"numbers\",\"item\":\"text\"}");
      assertThat(message).isInstanceOf(StreamBindingFailure.class);
      assertThat(((StreamBindingFailure) message).streamId()).isEqualTo("numbers");
    }

    @Test
    void aResultOfAnotherTypeFailsItsCallAlone() throws Exception {
      HubMessage message = read("{\"type\":3,\"invocationId\":\"s1\",\"result\":{\"a\":1}}");
      assertThat(message).isInstanceOf(ResultBindingFailure.class);
      assertThat(failure(message))
          .startsWith("InvalidDataException: Error trying to deserialize result to int. ");
    }
  }

  @Nested
  class Malformed {
    @Test
    void missingPropertiesAreNamed() {
      refuses("{}", "Missing required property 'type'.");
      refuses("{\"target\":\"Echo\",\"arguments\":[\"x\"]}", "Missing required property 'type'.");
      refuses(
          "{\"type\":1,\"invocationId\":\"1\",\"arguments\":[\"x\"]}",
          "Missing required property 'target'.");
      refuses(
          "{\"type\":1,\"invocationId\":\"1\",\"target\":\"Echo\"}",
          "Missing required property 'arguments'.");
      refuses("{\"type\":2,\"invocationId\":\"1\"}", "Missing required property 'item'.");
      refuses("{\"type\":2,\"item\":1}", "Missing required property 'invocationId'.");
      refuses("{\"type\":3}", "Missing required property 'invocationId'.");
      refuses(
          "{\"type\":4,\"target\":\"None\",\"arguments\":[]}",
          "Missing required property 'invocationId'.");
      refuses("{\"type\":5,\"invocationId\":\"\"}", "Missing required property 'invocationId'.");
      refuses("{\"type\":8}", "Missing required property 'sequenceId'.");
      refuses("{\"type\":9}", "Missing required property 'sequenceId'.");
    }

    @Test
    void mistypedPropertiesAreNamed() {
      refuses("{\"type\":\"1\"}", "Expected 'type' to be of type Number.");
      refuses("{\"type\":1.5}", "'type' is no integer");
      refuses(
          "{\"type\":1,\"invocationId\":null}", "Expected 'invocationId' to be of type String.");
      refuses("{\"type\":1,\"invocationId\":1}", "Expected 'invocationId' to be of type String.");
      refuses("{\"type\":1,\"target\":[]}", "Expected 'target' to be of type String.");
      refuses("{\"type\":1,\"arguments\":\"x\"}", "Expected 'arguments' to be of type Array.");
      refuses("{\"type\":1,\"streamIds\":1}", "Expected 'streamIds' to be of type Array.");
      refuses("{\"type\":1,\"headers\":[]}", "Expected 'headers' to be of type StartObject.");
      refuses("{\"type\":1,\"headers\":{\"a\":1}}", "Expected header 'a' to be of type String.");
      refuses("{\"type\":7,\"error\":null}", "Expected 'error' to be of type String.");
      refuses(
          "{\"type\":7,\"allowReconnect\":1}", "Expected 'allowReconnect' to be true or false.");
      refuses("{\"type\":8,\"sequenceId\":\"1\"}", "Expected 'sequenceId' to be of type Number.");
    }

    @Test
    void aMessageIsAnObject() {
      refuses("[]", "Unexpected JSON Token Type 'Array'. Expected a JSON Object.");
      refuses("5", "Unexpected JSON Token Type 'Number'. Expected a JSON Object.");
    }

    @Test
    void textThatIsNoJsonIsRefused() {
      for (String record :
          List.of(
              "hello",
              "",
              " ",
              "/* x */{\"type\":6}",
              "{\"type\":6,}",
              "{\"type\":6",
              "{\"type\":6}x",
              "{\"type\":6}{}",
              "{'type':6}",
              "{\"type\":06}",
              "{\"type\":6,\"x\":NaN}",
              "{\"type\":6,\"x\":\"\n\"}",
              "{\"type\":1,\"target\":\"Add\",\"arguments\":[nope,1]}",
              "{\"type\":1,\"target\":\"Add\",\"arguments\":[1",
              "{\"type\":1,\"target\":\"Add\",\"arguments\":[1,",
              "{\"type\":1,\"target\":\"Add\",\"arguments\":[1,2},",
              "{\"type\":1,\"target\":\"Add\",\"arguments\":[1,]",
              "{\"type\":6,\"target\":\"\\ud800\"}",
              "\ufeff{\"type\":6}",
              "{\u0000\"\u0000t\u0000")) {
        refuses(record, "Error reading JSON.");
      }
    }

    @Test
    void bytesThatAreNoUtf8AreRefused() {
      for (String bytes : List.of("ff", "c080", "eda080", "f4908080", "c3", "e282")) {
        ByteBuffer record =
            Wire.hex("7b2274797065223a362c2278223a22" + bytes + "227d"); // {"type":6,"x":"…"}
        assertThatExceptionOfType(InvalidDataException.class)
            .as(bytes)
            .isThrownBy(() -> json.read(record, HUB))
            .withMessage("Error reading JSON.");
      }
    }

    @Test
    void sixtyFourLevelsAreEnough() throws Exception {
      String call = "{\"type\":1,\"target\":\"Anything\",\"arguments\":[%s]}";
      String skipped = "{\"type\":6,\"x\":%s}";
      assertThat(read(call.formatted("[".repeat(62) + "]".repeat(62)))).isNotNull();
      assertThat(read(skipped.formatted("[".repeat(63) + "]".repeat(63)))).isNotNull();
      refuses(call.formatted("[".repeat(63) + "]".repeat(63)), "Error reading JSON.");
      refuses(skipped.formatted("[".repeat(64) + "]".repeat(64)), "Error reading JSON.");
    }
  }

  @Nested
  class Writing {
    @Test
    void invocationsHaveNoHeadersAndNoEmptyProperties() {
      writes(
          new Invocation(null, "Message", Arrays.asList("x", null)),
          "{\"type\":1,\"target\":\"Message\",\"arguments\":[\"x\",null]}");
      writes(
          new Invocation(Map.of("a", "b"), "s1", "Ask", List.of(), List.of("1")),
          "{\"type\":1,\"invocationId\":\"s1\",\"target\":\"Ask\",\"arguments\":[],\"streamIds\":[\"1\"]}");
    }

    @Test
    void streamInvocation() {
      writes(
          new StreamInvocation(Map.of(), "1", "Count", List.of(3), List.of()),
          "{\"type\":4,\"invocationId\":\"1\",\"target\":\"Count\",\"arguments\":[3]}");
    }

    @Test
    void streamItem() {
      writes(new StreamItem("1", null), "{\"type\":2,\"invocationId\":\"1\",\"item\":null}");
      writes(
          new StreamItem("1", new Custom("n", 1)),
          "{\"type\":2,\"invocationId\":\"1\",\"item\":{\"name\":\"n\",\"value\":1}}");
    }

    @Test
    void completion() {
      writes(Completion.of("1", "x"), "{\"type\":3,\"invocationId\":\"1\",\"result\":\"x\"}");
      writes(Completion.of("1", null), "{\"type\":3,\"invocationId\":\"1\",\"result\":null}");
      writes(Completion.empty("1"), "{\"type\":3,\"invocationId\":\"1\"}");
      writes(
          Completion.failed("1", "'x'"), "{\"type\":3,\"invocationId\":\"1\",\"error\":\"'x'\"}");
    }

    @Test
    void messagesWithoutValues() {
      writes(new CancelInvocation("1"), "{\"type\":5,\"invocationId\":\"1\"}");
      writes(Ping.INSTANCE, "{\"type\":6}");
      writes(new Close(null, false), "{\"type\":7}");
      writes(new Close("x", true), "{\"type\":7,\"error\":\"x\",\"allowReconnect\":true}");
      writes(new Ack(1), "{\"type\":8,\"sequenceId\":1}");
      writes(new Sequence(9_000_000_000L), "{\"type\":9,\"sequenceId\":9000000000}");
    }

    @Test
    void aRecordHasAnArrayOfItsSize() {
      ByteBuffer record = json.write(Completion.of("1", "x".repeat(10_000)));
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
        assertThatIllegalArgumentException().isThrownBy(() -> json.write(message));
      }
    }

    /** A value that has itself in it. */
    static final class Endless {
      public List<Endless> getItems() {
        return List.of(this);
      }
    }

    @Test
    void whatCannotBeWrittenLeavesNothingBehind() {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> json.write(Completion.of("1", List.of(1, Double.NaN))));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> json.write(Completion.of("1", new Endless())));
      writes(Completion.of("1", "x"), "{\"type\":3,\"invocationId\":\"1\",\"result\":\"x\"}");
    }
  }
}
