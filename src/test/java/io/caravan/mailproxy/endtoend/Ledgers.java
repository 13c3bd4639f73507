package io.caravan.mailproxy.endtoend;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Four ledgers that are held against each other: what clients got a 2xx for, what the relay took,
 * what the database says, what the application was told.
 */
public final class Ledgers {
  private final Path book;
  private final Set<String> accepted = ConcurrentHashMap.newKeySet();
  private final List<Mail> mails = new ArrayList<>();
  private long read;

  /**
   * A line of the relay's ledger.
   *
   * @param at Unix milliseconds at the final dot
   * @param node which proxy sent it
   */
  record Mail(String id, String messageId, long at, String node) {}

  /**
   * What the ledgers say.
   *
   * @param accepted messages that got a 2xx
   * @param poison of these, how many were given up since five processes ended in their attempts
   * @param lost of the others, how many the relay never took
   * @param unsettled of all, how many have no outcome in the database
   * @param untold of all, of how many the application was never told what became of them
   * @param invented messages that are sent by the database, and the relay never took them
   * @param duplicates further copies that the relay took
   * @param unflagged of these, how many no event {@code uncertain} tells of
   * @param changed messages whose copies have different Message-IDs
   * @param stale mails that a proxy sent under a lease that it had lost
   * @param uncertain events of that type
   * @param stopped whether each proxy ended in order when it was asked to
   * @param recoveries from the fault until the proxy was ready again, where it is the only one;
   *     else until another one sent something that it had held
   */
  public record Result(
      int rounds,
      int accepted,
      int poison,
      int lost,
      int unsettled,
      int untold,
      int invented,
      int duplicates,
      int unflagged,
      int changed,
      int stale,
      int uncertain,
      boolean stopped,
      List<Duration> recoveries) {

    public boolean holds() {
      return lost + unsettled + untold + invented + unflagged + changed + stale == 0 && stopped;
    }

    public Duration recoveryMedian() {
      return recoveries.isEmpty() ? Duration.ZERO : sorted().get(recoveries.size() / 2);
    }

    public Duration recoveryMax() {
      return recoveries.isEmpty() ? Duration.ZERO : sorted().get(recoveries.size() - 1);
    }

    private List<Duration> sorted() {
      return recoveries.stream().sorted().toList();
    }
  }

  /**
   * Begins.
   *
   * @param book the file that {@link SmtpSink} writes
   */
  Ledgers(Path book) {
    this.book = book;
  }

  /** Ids of the messages that got a 2xx. */
  Set<String> accepted() {
    return accepted;
  }

  /** What the relay took so far; reads what is new. */
  synchronized List<Mail> mails() {
    try (RandomAccessFile file = new RandomAccessFile(book.toFile(), "r")) {
      byte[] fresh = new byte[(int) (file.length() - read)];
      file.seek(read);
      file.readFully(fresh);
      String text = new String(fresh, StandardCharsets.US_ASCII);
      int whole = text.lastIndexOf('\n') + 1;
      text.substring(0, whole).lines().map(line -> line.split("\t", -1)).forEach(this::add);
      read += whole;
    } catch (IOException e) {
      return List.of(); // no mail yet
    }
    return Collections.unmodifiableList(mails);
  }

  /** What another proxy sent to a relay that had this port before is not ours. */
  private void add(String[] mail) {
    if (mail.length == 5 && !mail[4].isEmpty()) {
      mails.add(new Mail(mail[0], mail[1], Long.parseLong(mail[3]), mail[4]));
    }
  }

  /**
   * Compares.
   *
   * @param told ids of the messages of which the application knows what became of them
   */
  Result compare(
      Connection store,
      Set<String> told,
      int rounds,
      int stale,
      boolean stopped,
      List<Duration> recoveries)
      throws SQLException {
    Map<String, List<String>> taken = new HashMap<>();
    for (Mail mail : mails()) {
      taken.computeIfAbsent(mail.id(), id -> new ArrayList<>()).add(mail.messageId());
    }
    Set<String> sent = new HashSet<>();
    Set<String> poison = new HashSet<>();
    Map<String, Integer> uncertain = new HashMap<>();
    try (Statement statement = store.createStatement();
        ResultSet rows =
            statement.executeQuery(
                """
                SELECT m.id,
                  NOT EXISTS (SELECT 1 FROM recipient r WHERE r.message_pk = m.pk AND r.state <> 'sent') AS sent,
                  EXISTS (SELECT 1 FROM event e WHERE e.message_pk = m.pk AND e.type = 'error'
                    AND e.text LIKE '%: poison') AS poison,
                  (SELECT count(*) FROM event e WHERE e.message_pk = m.pk AND e.type = 'uncertain')
                    uncertain
                FROM message m""")) {
      while (rows.next()) {
        if (rows.getBoolean("sent")) {
          sent.add(rows.getString("id"));
        }
        if (rows.getBoolean("poison")) {
          poison.add(rows.getString("id"));
        }
        uncertain.put(rows.getString("id"), rows.getInt("uncertain"));
      }
    }
    int duplicates = 0;
    int unflagged = 0;
    int changed = 0;
    for (Map.Entry<String, List<String>> mail : taken.entrySet()) {
      int copies = mail.getValue().size() - 1;
      duplicates += copies;
      unflagged += Math.max(0, copies - uncertain.getOrDefault(mail.getKey(), 0));
      changed += new HashSet<>(mail.getValue()).size() > 1 ? 1 : 0;
    }
    return new Result(
        rounds,
        accepted.size(),
        poison.size(),
        without(accepted, union(taken.keySet(), poison)),
        without(accepted, union(sent, poison)),
        without(accepted, told),
        without(sent, taken.keySet()),
        duplicates,
        unflagged,
        changed,
        stale,
        uncertain.values().stream().mapToInt(Integer::intValue).sum(),
        stopped,
        List.copyOf(recoveries));
  }

  private static Set<String> union(Set<String> some, Set<String> more) {
    Set<String> all = new HashSet<>(some);
    all.addAll(more);
    return all;
  }

  private static int without(Set<String> all, Set<String> found) {
    return (int) all.stream().filter(id -> !found.contains(id)).count();
  }
}
