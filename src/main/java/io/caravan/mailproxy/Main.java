package io.caravan.mailproxy;

/** The start of everything. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {}
}
