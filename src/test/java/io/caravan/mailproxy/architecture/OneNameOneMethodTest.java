package io.caravan.mailproxy.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * {@code ${body.size}} in a route finds {@code size()} and {@code getSize()}. Where a class has
 * both, Camel calls it ambiguous or not by the order in which the JVM lists them: it works on one
 * start and fails on the next.
 */
class OneNameOneMethodTest {
  @Test
  void no_class_has_an_accessor_and_a_getter_of_one_name() {
    List<String> ambiguous = new ArrayList<>();
    for (JavaClass type :
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.caravan.mailproxy")) {
      Set<String> names =
          type.getMethods().stream()
              .filter(method -> method.getRawParameterTypes().isEmpty())
              .map(JavaMethod::getName)
              .collect(Collectors.toSet());
      for (String name : names) {
        String rest = Character.toUpperCase(name.charAt(0)) + name.substring(1);
        if (names.contains("get" + rest) || names.contains("is" + rest)) {
          ambiguous.add(type.getName() + "." + name);
        }
      }
    }
    assertThat(ambiguous).isEmpty();
  }
}
