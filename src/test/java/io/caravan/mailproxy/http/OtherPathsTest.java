package io.caravan.mailproxy.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class OtherPathsTest {
  @Test
  void what_is_named_in_the_place_of_a_path_is_a_call_of_ours() {
    assertThat(OtherPaths.table().values())
        .filteredOn(instead -> !instead.equals(OtherPaths.NONE))
        .isSubsetOf(
            Access.table().values().stream()
                .map(operation -> operation.method() + " " + operation.path())
                .collect(Collectors.toSet()));
    assertThat(OtherPaths.table().keySet())
        .doesNotContainAnyElementsOf(
            Access.table().values().stream()
                .map(Access.Operation::path)
                .collect(Collectors.toSet()));
  }
}
