package io.caravan.mailproxy.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.UnknownHostException;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which addresses are public (reliability-security B64–B68). */
class AddressGuardTest {
  private final AddressGuard guard = new AddressGuard("");

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:a9fe:a9fe",
        "::127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b::7f00:1",
        "64:ff9b:1::a9fe:a9fe",
        "2002:a9fe:a9fe::",
        "2001:0:4136:e378::",
        "fe80::5efe:a9fe:a9fe",
        "fe80::1",
        "fec0::1",
        "fd00::1",
        "fd00:ec2::254",
        "fc00::1",
        "2001:db8::1",
        "3fff::1",
        "ff02::1",
        "100::1",
        "2a00:1450::5efe:a00:1",
        "2a00:1450::200:5efe:7f00:1"
      })
  void an_address_that_is_not_public_may_be_neither_named_nor_reached(String address)
      throws UnknownHostException {
    assertThat(guard.mayName(address)).isFalse();
    assertThatThrownBy(() -> guard.addresses(address, true))
        .isInstanceOf(BlockedAddressException.class);
    assertThat(guard.addresses(address, false)).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.1",
        "100.63.255.255",
        "100.128.0.1",
        "126.255.255.255",
        "172.15.255.255",
        "172.32.0.1",
        "192.0.1.1",
        "192.167.255.255",
        "198.17.255.255",
        "198.20.0.1",
        "223.255.255.255",
        "2606:4700::1111",
        "2a00:1450::1",
        "64:ff9b::808:808",
        "2a00:1450::5efe:808:808"
      })
  void a_public_address_may(String address) throws UnknownHostException {
    assertThat(guard.mayName(address)).isTrue();
    assertThat(guard.addresses(address, true)).containsExactly(InetAddress.getAllByName(address));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "127.1",
        "2130706433",
        "0",
        "0x7f.1",
        "0x7f000001",
        "017700000001",
        "0177.0.0.1",
        "1.2.3.4.5",
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "metadata.google.internal",
        "printer.local",
        "nas.home.arpa",
        "[::1]"
      })
  void a_name_of_this_machine_or_a_number_may_not_be_named(String host) {
    assertThat(guard.mayName(host)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "example.com",
        "example.com.",
        "localhost.example.com",
        "a1.b2",
        "xn--p1ai",
        "internal.example"
      })
  void other_names_may(String host) {
    assertThat(guard.mayName(host)).isTrue();
  }

  @Test
  void what_is_allowed_is_open_and_nothing_beside_it() throws Exception {
    AddressGuard open = new AddressGuard("10.1.0.0/16, fd00:1::/32,192.168.7.7");
    for (String address : List.of("10.1.2.3", "fd00:1::5", "192.168.7.7")) {
      assertThat(open.mayName(address)).as(address).isTrue();
      assertThat(open.addresses(address, true)).as(address).hasSize(1);
    }
    for (String address : List.of("10.2.0.1", "fd00:2::5", "192.168.7.8", "127.0.0.1", "::1")) {
      assertThat(open.mayName(address)).as(address).isFalse();
    }
    assertThat(open.mayName("mail.corp.internal")).as("a look-up tells").isTrue();
  }

  @Test
  void of_many_addresses_those_remain_that_are_public() throws Exception {
    InetAddress open = InetAddress.getAllByName("1.1.1.1")[0];
    InetAddress shut = InetAddress.getLoopbackAddress();
    assertThat(guard.admitted("two.test", new InetAddress[] {shut, open})).containsExactly(open);
    assertThatThrownBy(() -> guard.admitted("one.test", new InetAddress[] {shut}))
        .isInstanceOf(BlockedAddressException.class)
        .hasMessage("blocked_address: one.test has no public address");
  }

  @Test
  void the_addresses_of_this_machine_are_never_open_by_themselves() throws Exception {
    for (NetworkInterface one : Collections.list(NetworkInterface.getNetworkInterfaces())) {
      for (InetAddress own : Collections.list(one.getInetAddresses())) {
        assertThatThrownBy(() -> guard.admitted("us.test", new InetAddress[] {own}))
            .as(own.getHostAddress())
            .isInstanceOf(BlockedAddressException.class);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "example.com", "fd00::/129", "/8"})
  void a_range_that_is_none_refuses_the_start(String range) {
    assertThatThrownBy(() -> new AddressGuard("1.1.1.0/24," + range))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("guard.allow: ");
  }
}
