package dev.windhover.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.benchmarks.Arguments.UsageException;
import dev.windhover.benchmarks.Compare.Cell;
import java.util.List;
import org.junit.jupiter.api.Test;

class ArgumentsTest {
  private static Arguments of(String... words) {
    return new Arguments(List.of(words));
  }

  @Test
  void wordsFlagsAndValuesComeInAnyOrder() {
    Arguments arguments = of("netty", "--port", "80", "--binary", "--api", "blocking");
    assertThat(arguments.flag("--binary")).isTrue();
    assertThat(arguments.choice("--api", "listener", "blocking")).isEqualTo("blocking");
    assertThat(arguments.word("a name")).isEqualTo("netty");
    assertThat(arguments.number("--port", 0, 65535)).isEqualTo(80);
    arguments.end();
  }

  @Test
  void whatNobodyAskedForIsRefused() {
    Arguments arguments = of("--compresed");
    assertThat(arguments.flag("--compressed")).isFalse();
    assertThatThrownBy(arguments::end)
        .isInstanceOf(UsageException.class)
        .hasMessage("unknown argument --compresed");
  }

  @Test
  void numbersAreWithinTheirRange() {
    assertThatThrownBy(() -> of("--rounds", "0").number("--rounds", 1, 100, 3))
        .isInstanceOf(UsageException.class)
        .hasMessage("--rounds 0 is not a number between 1 and 100");
    assertThat(of().number("--rounds", 1, 100, 3)).isEqualTo(3);
  }

  @Test
  void listsHaveEachWordOnce() {
    assertThat(of("--idle", "12,35,12").list("--idle", "1", Integer::valueOf))
        .containsExactly(12, 35);
    assertThat(of().list("--idle", "1,2", Integer::valueOf)).containsExactly(1, 2);
  }

  @Test
  void contendersAreServersThatAreThere() {
    assertThat(Contender.parse("windhover:blocking"))
        .isEqualTo(new Contender("windhover", "blocking", false));
    assertThat(Contender.parse("jetty")).isEqualTo(new Contender("jetty", "listener", false));
    assertThat(Contender.parse("windhover:listener@1.1"))
        .isEqualTo(new Contender("windhover", "listener", true))
        .hasToString("windhover, listener, HTTP/1.1");
    assertThatThrownBy(() -> Contender.parse("tomcat")).isInstanceOf(UsageException.class);
  }

  @Test
  void cellsOverHttp2MayHaveSocketsOnOneConnection() {
    assertThat(Cell.parse(Compression.OFF, true, "64x8x100"))
        .isEqualTo(new Cell(Compression.OFF, 64, 8, 100))
        .hasToString("64 B, 8, 100 on one");
    assertThat(Cell.parse(Compression.OFF, true, "1024x1"))
        .isEqualTo(new Cell(Compression.OFF, 1024, 1, 0))
        .hasToString("1 KiB, 1");
    assertThatThrownBy(() -> Cell.parse(Compression.OFF, false, "64x8x100"))
        .isInstanceOf(UsageException.class)
        .hasMessage("--cells 64x8x100 is not a size and a number in flight, such as 64x8");
    assertThatThrownBy(() -> Cell.parse(Compression.OFF, true, "65536x1"))
        .isInstanceOf(UsageException.class)
        .hasMessage("--cells 65536 is not a number between 1 and 32768");
  }
}
