package dev.windhover.hubs.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.hubs.backplane.Target;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The names of channels, both ways. */
class ChannelsTest {
  private final Channels channels = new Channels("shop", "Web.ChatHub", "me_1");

  @Test
  void whatIsNamedIsFoundAgain() {
    for (Target target :
        List.of(
            new Target.All(),
            new Target.Connection("aB-_"),
            new Target.Group("a:b"),
            new Target.Group(""),
            new Target.User("internal:groups"))) {
      assertThat(channels.purpose(channels.of(target)))
          .isEqualTo(new Channels.Purpose.Send(target));
    }
  }

  @Test
  void theNamesAreTheReferences() {
    assertThat(channels.of(new Target.All())).isEqualTo("shopWeb.ChatHub:all");
    assertThat(channels.of(new Target.Connection("x"))).isEqualTo("shopWeb.ChatHub:connection:x");
    assertThat(channels.of(new Target.Group("x"))).isEqualTo("shopWeb.ChatHub:group:x");
    assertThat(channels.of(new Target.User("x"))).isEqualTo("shopWeb.ChatHub:user:x");
    assertThat(channels.groupCommands()).isEqualTo("shopWeb.ChatHub:internal:groups");
    assertThat(channels.acknowledgements("other")).isEqualTo("shopWeb.ChatHub:internal:ack:other");
    assertThat(channels.results()).isEqualTo("shopWeb.ChatHub:internal:return:me_1");
  }

  @Test
  void otherServersChannelsAreNotOurs() {
    assertThat(channels.purpose("shopWeb.ChatHub:internal:ack:other")).isNull();
    assertThat(channels.purpose("shopWeb.ChatHub:internal:return:other")).isNull();
    assertThat(channels.purpose("shopWeb.ChatHub:else")).isNull();
    assertThat(channels.purpose("Web.ChatHub:all")).isNull();
    assertThat(channels.isForResults("shopWeb.ChatHub:internal:return:other")).isTrue();
    assertThat(channels.isForResults("shopWeb.ChatHub:all")).isFalse();
  }

  @Test
  void aPatternTakesTheNameOfAHubAsItIs() {
    assertThat(new Channels("", "A[b]*?^-\\c", "s").connections("p_-"))
        .isEqualTo("A\\[b\\]\\*\\?\\^\\-\\\\c:connection:p_\\-*");
  }
}
