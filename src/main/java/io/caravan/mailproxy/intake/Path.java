package io.caravan.mailproxy.intake;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Where a value stands in the body. Cheap to make, spelled out only for an error. */
record Path(@Nullable Path parent, Object step) {
  static final Path BODY = new Path(null, "body");

  Path at(Object below) {
    return new Path(this, below);
  }

  /** The form of Pydantic: {@code ["body", "messages", 0, "from"]}. */
  List<Object> loc() {
    Deque<Object> steps = new ArrayDeque<>();
    for (Path p = this; p != null; p = p.parent) {
      steps.addFirst(p.step);
    }
    return List.copyOf(steps);
  }
}
