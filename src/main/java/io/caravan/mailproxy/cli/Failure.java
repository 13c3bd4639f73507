package io.caravan.mailproxy.cli;

/** A command ends here; the message says what to do. */
final class Failure extends RuntimeException {
  /** Exit code: refused, or failed. */
  static final int FAILED = 1;

  /** Exit code: the command is not understood. */
  static final int USAGE = 2;

  /** Exit code: nobody answers. */
  static final int UNREACHABLE = 3;

  private static final long serialVersionUID = 1L;

  private final int exitCode;

  Failure(int exitCode, String message) {
    super(message, null, false, false);
    this.exitCode = exitCode;
  }

  int exitCode() {
    return exitCode;
  }

  /** The message. */
  String text() {
    return String.valueOf(getMessage());
  }
}
