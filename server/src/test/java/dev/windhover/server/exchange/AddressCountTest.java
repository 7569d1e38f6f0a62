package dev.windhover.server.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.server.ServerOptions;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AddressCountTest {
  private final AddressCount count = new AddressCount();

  private static long key(String address) {
    var isExempt = new ServerOptions().limits().exemptAddresses();
    return AddressCount.key(new InetSocketAddress(InetAddress.ofLiteral(address), 1), isExempt);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "127.0.0.1",
        "127.9.9.9",
        "::1",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "169.254.1.1",
        "fe80::1",
        "fc00::1",
        "fdff::1",
        "::ffff:10.0.0.1"
      })
  void localAddressesAreNotCounted(String address) {
    assertThat(key(address)).isEqualTo(AddressCount.EXEMPT);
    for (int i = 0; i < 10; i++) {
      assertThat(count.take(key(address), 1)).isTrue();
    }
    assertThat(count.size()).isZero();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"203.0.113.1", "172.32.0.1", "11.0.0.1", "100.64.0.1", "2001:db8::1", "fe00::1"})
  void allOthersAre(String address) {
    assertThat(count.take(key(address), 1)).isTrue();
    assertThat(count.take(key(address), 1)).isFalse();
  }

  @Test
  void addressesOfOneIpv6CustomerCountTogether() {
    assertThat(key("2001:db8:1:2::1")).isEqualTo(key("2001:db8:1:2:ffff:ffff:ffff:ffff"));
    assertThat(key("2001:db8:1:2::1")).isNotEqualTo(key("2001:db8:1:3::1"));
    assertThat(key("203.0.113.1")).isNotEqualTo(key("203.0.113.2"));
    assertThat(key("::ffff:203.0.113.1")).isEqualTo(key("203.0.113.1"));
  }

  @Test
  void nothingStaysOfAnAddressThatHasNothing() {
    long key = key("203.0.113.1");
    count.take(key, 2);
    count.take(key, 2);
    count.giveBack(key);
    assertThat(count.take(key, 2)).isTrue();
    assertThat(count.take(key, 2)).isFalse();
    count.giveBack(key);
    count.giveBack(key);
    assertThat(count.size()).isZero();
    assertThat(count.take(key, 0)).isFalse();
  }

  @Test
  void noneIsLostOrGivenTwiceBetweenThreads() throws InterruptedException {
    long key = key("2001:db8::1");
    List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < 4; t++) {
      threads.add(
          Thread.ofPlatform()
              .start(() -> {
                for (int i = 0; i < 20_000; i++) {
                  if (count.take(key, 2)) {
                    count.giveBack(key);
                  }
                }
              }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(count.size()).isZero();
  }
}
