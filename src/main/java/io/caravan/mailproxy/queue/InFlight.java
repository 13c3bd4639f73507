package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.db.Database;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.LongBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;

/**
 * The deliveries whose attempts are under way, in a file mapped to memory: what a process wrote
 * there outlives it however it ends, and a write costs no more than one to memory. A loss of power
 * may lose it, which is no message's fault.
 */
public final class InFlight implements AutoCloseable {
  private static final String SUFFIX = ".inflight";

  /** More attempts than that at the same time are not noted. */
  private static final int CELLS = 8192;

  private static final long POLL_NANOS = 10_000_000;

  private final LongBuffer cells;
  private final List<Long> before = new ArrayList<>();
  private final Queue<Integer> free = new ConcurrentLinkedQueue<>();
  private final Map<Long, Integer> taken = new ConcurrentHashMap<>();

  /**
   * Opens the file beside the database's, or of this node.
   *
   * @param database the database itself: a lock of its file is this one's too
   */
  public InFlight(Database database) {
    this(database.beside(SUFFIX));
  }

  private InFlight(Path file) {
    try (FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      cells =
          channel.map(FileChannel.MapMode.READ_WRITE, 0, (long) CELLS * Long.BYTES).asLongBuffer();
    } catch (IOException e) {
      throw new UncheckedIOException(file + " cannot be used", e);
    }
    for (int cell = 0; cell < CELLS; cell++) {
      if (cells.get(cell) != 0) {
        before.add(cells.get(cell));
      }
      free.add(cell);
    }
  }

  /** Keys of the deliveries that were under way when the process before this one ended. */
  List<Long> before() {
    return before;
  }

  /** What was under way before is settled in the store. */
  void forget() {
    for (int cell = 0; cell < CELLS; cell++) {
      cells.put(cell, 0);
    }
  }

  /** An attempt of a delivery begins. */
  void begin(long pk) {
    Integer cell = free.poll();
    if (cell == null) {
      return;
    }
    cells.put(cell, pk);
    Integer earlier = taken.put(pk, cell);
    if (earlier != null) {
      leave(earlier);
    }
  }

  /** It ended; nothing happens where none began. */
  void end(long pk) {
    Integer cell = taken.remove(pk);
    if (cell != null) {
      leave(cell);
    }
  }

  private void leave(Integer cell) {
    cells.put(cell, 0);
    free.add(cell);
  }

  /** Waits until no attempt is under way. */
  public void awaitNone(Duration atMost) {
    long deadline = System.nanoTime() + atMost.toNanos();
    while (!taken.isEmpty() && System.nanoTime() - deadline < 0) {
      LockSupport.parkNanos(POLL_NANOS);
    }
  }

  /** Whether an attempt of a delivery is under way. */
  boolean has(long pk) {
    return taken.containsKey(pk);
  }

  /** This process ends by itself: nothing that is left is a crash. */
  @Override
  public void close() {
    forget();
  }
}
