package dev.windhover.hubs;

import dev.windhover.hubs.HubFixture.Client;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HubAccessTest {
  public static class Guarded extends Hub<Void> {
    public String open() {
      return "open";
    }

    @RequireUser
    public String user() {
      return "user";
    }

    @RequireRole({"admin", "owner"})
    public String admin() {
      return "admin";
    }

    @RequireRole("admin")
    public IntStream count(int n) {
      return IntStream.range(0, n);
    }
  }

  @RequireRole("staff")
  public static class Staff extends Hub<Void> {
    public String any() {
      return "any";
    }

    @RequireRole("admin")
    public String admin() {
      return "admin";
    }
  }

  private final HubFixture hub =
      HubFixture.of(hubs ->
          hubs.map("/hub", Guarded.class, Guarded::new).map("/staff", Staff.class, Staff::new));

  @AfterEach
  void end() {
    hub.close();
  }

  private static void refused(Client client, String method) {
    client
        .call("1", method)
        .expectError("1", "Failed to invoke '" + method + "' because user is unauthorized");
  }

  @Test
  void aMethodMayRequireAUser() {
    Client nobody = hub.connect();
    nobody.call("1", "open").expectResult("1", "'open'");
    refused(nobody, "user");
    hub.connectAs("ann").call("1", "user").expectResult("1", "'user'");
  }

  @Test
  void aMethodMayRequireOneOfSomeRoles() {
    refused(hub.connectAs("ann", "guest"), "admin");
    hub.connectAs("bob", "owner").call("1", "admin").expectResult("1", "'admin'");
  }

  @Test
  void aStreamMayToo() {
    hub.connectAs("ann").stream("s", "count", "1")
        .expectError("s", "Failed to invoke 'count' because user is unauthorized");
  }

  @Test
  void whatAHubRequiresHoldsForItsMethodsToo() {
    Client staff = hub.connectTo("/staff", "ann", "staff");
    staff.call("1", "any").expectResult("1", "'any'");
    refused(staff, "admin");
    refused(hub.connectTo("/staff", "bob", "admin"), "admin");
    hub.connectTo("/staff", "eve", "admin", "staff")
        .call("1", "admin")
        .expectResult("1", "'admin'");
  }
}
