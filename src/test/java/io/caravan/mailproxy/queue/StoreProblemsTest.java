package io.caravan.mailproxy.queue;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a caller is told by the error of the store (PostgreSQL, appendix A). */
class StoreProblemsTest {
  private final StoreProblems problems = new StoreProblems();

  @ParameterizedTest
  @CsvSource({"40P01, 503", "40001, 503", "57P01, 503", "53100, 507"})
  void what_will_do_later_is_to_be_tried_again(String state, int status) {
    assertThat(problems.of(new StoreException(new SQLException("no", state))))
        .isNotNull()
        .satisfies(problem -> assertThat(problem.getStatus()).isEqualTo(status))
        .satisfies(problem -> assertThat(problem.getRetryAfter()).isPositive());
  }

  @Test
  void what_the_statement_is_to_blame_for_is_not_the_stores_problem() {
    assertThat(problems.of(new StoreException(new SQLException("no", "23505")))).isNull();
  }
}
