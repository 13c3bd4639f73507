package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.admin.Directory;
import io.caravan.mailproxy.http.Problem;
import io.caravan.mailproxy.http.Request;
import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.net.AddressGuard;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;

/** {@code POST /account/{id}/test}: would an account's relay take mail, and if not, why. */
public final class AccountCheck {
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  /** Each takes a thread of the service until its relay answers. */
  private static final int MAX_AT_ONCE = 4;

  private final Semaphore room = new Semaphore(MAX_AT_ONCE);
  private final Directory directory;
  private final AddressGuard guard;
  private final HeloName heloName;

  public AccountCheck(Directory directory, AddressGuard guard, SmtpSettings settings) {
    this.directory = directory;
    this.guard = guard;
    this.heloName = new HeloName(settings);
  }

  /**
   * Goes to the relay, logs in, and sends nothing; takes at most 5 s for each step.
   *
   * @throws Problem 400 there is no such account; 503 others are being tested
   */
  public Map<String, Object> run(Request request) {
    Account account =
        directory
            .account(request.tenant(), request.segment(1))
            .orElseThrow(() -> new Problem(400, "account not found or not owned by tenant"));
    if (!room.tryAcquire()) {
      throw new Problem(503, "Other accounts are being tested");
    }
    try {
      List<RelayCheck.Finding> findings = findings(account);
      Map<String, Object> answer = new LinkedHashMap<>();
      answer.put("ok", findings.stream().allMatch(RelayCheck.Finding::ok));
      answer.put("findings", findings);
      return answer;
    } finally {
      room.release();
    }
  }

  private List<RelayCheck.Finding> findings(Account account) {
    String locked = directory.locked().get(account.pk());
    if (locked != null) {
      return List.of(new RelayCheck.Finding("AUTH", false, "the password is locked: " + locked));
    }
    return switch (account.type()) {
      case RELAY ->
          RelayCheck.of(
              account,
              relay -> guard.addresses(relay.host(), relay.guarded()),
              heloName.of(account),
              PATIENCE);
      case MX -> none("each recipient's domain names its own servers");
      case SANDBOX -> none("mail stays here");
    };
  }

  private static List<RelayCheck.Finding> none(String why) {
    return List.of(new RelayCheck.Finding("relay", true, "none: " + why));
  }
}
