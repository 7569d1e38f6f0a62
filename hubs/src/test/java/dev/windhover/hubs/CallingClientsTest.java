package dev.windhover.hubs;

import org.junit.jupiter.api.Test;

/** Hubs that call clients, over the whole way. */
class CallingClientsTest {
  interface Client {
    void message(String from, String text);

    int result();
  }

  public static final class TalkHub extends Hub<Client> {
    public void say(String text) {
      clients().all().message("everybody", text);
      clients().others().message("others", text);
      clients().caller().message("caller", text);
    }

    public void sayIn(String room, String text) {
      clients().othersInGroup(room).message(room, text);
    }

    public boolean join(String room) {
      return groups().add(room);
    }

    public boolean leave(String room) {
      return groups().remove(room);
    }

    public String ask() {
      return "got " + clients().caller().result();
    }

    public String askOther(String id) {
      return "got " + clients().client(id).result();
    }

    public String id() {
      return context().connectionId();
    }
  }

  public static final class EagerHub extends Hub<Client> {
    @Override
    public void onConnected() {
      clients().caller().result();
    }
  }

  private static HubFixture start() {
    return HubFixture.of(TalkHub.class, TalkHub::new, o -> o.enableDetailedErrors(true));
  }

  private static String message(String from, String text) {
    return "{'type':1,'target':'message','arguments':['%s','%s']}".formatted(from, text);
  }

  @Test
  void clientsHearACallBeforeItsAnswer() {
    try (HubFixture hub = start()) {
      HubFixture.Client ann = hub.connect();
      HubFixture.Client ben = hub.connect();
      ann.call("1", "say", "'hi'");
      ann.expect(message("everybody", "hi"), message("caller", "hi"));
      ann.expectResult("1", "null");
      ben.expect(message("everybody", "hi"), message("others", "hi"));
    }
  }

  @Test
  void membersHearTheirGroup() {
    try (HubFixture hub = start()) {
      HubFixture.Client ann = hub.connect();
      HubFixture.Client ben = hub.connect();
      ann.call("1", "join", "'room'").expectResult("1", "true");
      ben.call("1", "join", "'room'").expectResult("1", "true");
      ann.call("2", "sayIn", "'room'", "'hi'").expectResult("2", "null");
      ben.expect(message("room", "hi"));
      ben.call("2", "leave", "'room'").expectResult("2", "true");
      ann.call("3", "sayIn", "'room'", "'still there?'").expectResult("3", "null");
    }
  }

  @Test
  void aMethodMayWaitForItsCallersResult() {
    try (HubFixture hub = start()) {
      HubFixture.Client ann = hub.connect();
      ann.call("1", "ask")
          .expect("{'type':1,'invocationId':'s1','target':'result','arguments':[]}");
      ann.send("{'type':3,'invocationId':'s1','result':5}");
      ann.expectResult("1", "'got 5'");
    }
  }

  @Test
  void whoAnswersForAnotherIsDisconnected() {
    try (HubFixture hub = start()) {
      HubFixture.Client ann = hub.connect();
      HubFixture.Client eve = hub.connect();
      ann.call("1", "ask")
          .expect("{'type':1,'invocationId':'s1','target':'result','arguments':[]}");
      eve.call("1", "id");
      String id = eve.socket.receiveText().replaceFirst(".*\"result\":\"([^\"]*)\".*\u001e", "$1");
      eve.send("{'type':3,'invocationId':'s1','result':6}");
      eve.expectClosed(
          "Connection closed with an error. InvalidOperationException: Connection ID '%s' is not"
                  .formatted(id)
              + " valid for invocation ID 's1'.",
          true);
      ann.send("{'type':3,'invocationId':'s1','result':5}").expectResult("1", "'got 5'");
    }
  }

  @Test
  void aMethodMayAskAnother() {
    try (HubFixture hub = start()) {
      HubFixture.Client ann = hub.connect();
      HubFixture.Client ben = hub.connect();
      ben.call("1", "id");
      String id = ben.socket.receiveText().replaceFirst(".*\"result\":\"([^\"]*)\".*\u001e", "$1");
      ann.call("1", "askOther", "'" + id + "'");
      ben.expect("{'type':1,'invocationId':'s1','target':'result','arguments':[]}");
      ben.close();
      ann.expectError(
          "1",
          "An unexpected error occurred invoking 'askOther' on the server. IOException:"
              + " Connection '%s' disconnected.".formatted(id));
    }
  }

  @Test
  void nobodyIsAskedWhileOnConnectedRuns() {
    try (HubFixture hub =
        HubFixture.of(EagerHub.class, EagerHub::new, o -> o.enableDetailedErrors(true))) {
      hub.connect()
          .expectClosed(
              "Connection closed with an error. IllegalStateException: Client results inside"
                  + " OnConnectedAsync Hub methods are not allowed.",
              false);
    }
  }
}
