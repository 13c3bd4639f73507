package io.caravan.mailproxy.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/** Who may know whom. */
class PackagesTest {
  private static final String ROOT = "io.caravan.mailproxy";

  /** Rooms with steps that read an exchange, or that plug something of ours into Camel. */
  private static final String[] CAMEL_ROOMS = {
    ROOT, ROOT + ".admin", ROOT + ".delivery", ROOT + ".http", ROOT + ".queue", ROOT + ".telemetry"
  };

  private static final JavaClasses OURS =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages(ROOT);

  @Test
  void packages_do_not_depend_on_each_other_in_circles() {
    slices().matching(ROOT + ".(*)..").should().beFreeOfCycles().check(OURS);
  }

  @Test
  void capabilities_do_not_know_the_program_that_starts_them() {
    noClasses()
        .that()
        .resideInAPackage(ROOT + ".*..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage(ROOT)
        .check(OURS);
  }

  @Test
  void the_words_of_the_product_know_nothing_else() {
    classes()
        .that()
        .resideInAPackage(ROOT + ".message..")
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            ROOT + ".message..",
            "java.lang..",
            "java.util..",
            "java.text", // normal forms of Unicode
            "org.jspecify..")
        .check(OURS);
  }

  @Test
  void only_store_and_queue_speak_jdbc() {
    noClasses()
        .that()
        .resideOutsideOfPackages(ROOT + ".db..", ROOT + ".queue..")
        .and()
        .doNotHaveFullyQualifiedName(ROOT + ".telemetry.DatabaseCheck") // catches what ping throws
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("java.sql..", "javax.sql..")
        .check(OURS);
  }

  @Test
  void only_the_store_knows_which_database_it_is() {
    noClasses()
        .that()
        .resideOutsideOfPackage(ROOT + ".db..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.sqlite..", "org.flywaydb..", "com.zaxxer..")
        .check(OURS);
  }

  @Test
  void camel_stays_at_the_edge() {
    noClasses()
        .that()
        .resideOutsideOfPackages(CAMEL_ROOMS)
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.apache.camel..")
        .check(OURS);
    noClasses()
        .that()
        .resideInAPackage(ROOT + ".queue..")
        .and()
        .haveNameNotMatching(
            ROOT.replace(".", "\\.") + "\\.queue\\.(Intake|Claims)") // steps of routes
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.apache.camel..")
        .check(OURS);
  }

  @Test
  void only_the_program_writes_to_the_terminal() {
    noClasses()
        .that()
        .resideOutsideOfPackage(ROOT + ".cli..")
        .and()
        .haveNameNotMatching(ROOT.replace(".", "\\.") + "\\.(Main|Demo)(\\$.*)?")
        .should(ACCESS_STANDARD_STREAMS)
        .check(OURS);
  }

  @Test
  void the_log_is_reached_through_slf4j() {
    noClasses()
        .that()
        .resideOutsideOfPackage(ROOT + ".cli..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("java.util.logging..", "org.apache.logging..")
        .check(OURS);
  }

  @Test
  void every_package_says_that_nothing_is_null_by_default() throws Exception {
    Set<String> packages = new TreeSet<>();
    for (JavaClass type : OURS) {
      packages.add(type.getPackageName());
    }
    for (String name : packages) {
      Class<?> info = Class.forName(name + ".package-info");
      assertThat(info.isAnnotationPresent(NullMarked.class)).as(name).isTrue();
    }
  }
}
