package io.caravan.mailproxy.cli;

import io.caravan.mailproxy.http.Json;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code mail-proxy send}. */
@Command(name = "send", description = "Sends a mail that stands in a file.")
final class Send implements Callable<Integer> {
  /** More than the proxy takes in one message by default. */
  private static final int MAX_BYTES = 64 * 1024 * 1024;

  @Mixin Remote remote;
  @Mixin Owner owner = new Owner();

  @Option(
      names = "--account",
      paramLabel = "ID",
      required = true,
      description = "The account it goes out by.")
  String account = "";

  @Option(
      names = {"-p", "--priority"},
      paramLabel = "0..3",
      description = "0 immediate, 1 high, 2 medium, 3 low, or the word; else the proxy's default.")
  @Nullable String priority;

  @Option(
      names = "--id",
      paramLabel = "ID",
      description = "Its id; the same one is sent once. Else a new one.")
  @Nullable String id;

  @Parameters(paramLabel = "FILE.eml", description = "The mail (RFC 5322); - is standard input.")
  String file = "";

  private final Terminal terminal;

  Send(Terminal terminal) {
    this.terminal = terminal;
    this.remote = new Remote(terminal);
  }

  @Override
  public Integer call() {
    Api api = remote.api();
    Map<String, Object> message = mail();
    String key = id == null ? UUID.randomUUID().toString() : id;
    message.put("id", key);
    message.put("account_id", account);
    Tenants.put(message, "tenant_id", owner.id(terminal));
    if (priority != null) {
      message.put("priority", priority.matches("\\d") ? Integer.valueOf(priority) : priority);
    }
    String answer = api.post("/commands/add-messages", Map.of("messages", List.of(message)));
    remote.show(answer, done -> terminal.out().println("queued " + key));
    String refused = Json.tree(answer).path("rejected").path(0).path("reason").asText("");
    if (!refused.isEmpty()) {
      throw new Failure(Failure.FAILED, "refused: " + Table.clean(refused));
    }
    return 0;
  }

  private Map<String, Object> mail() {
    try (InputStream in = file.equals("-") ? terminal.in() : Files.newInputStream(Path.of(file))) {
      byte[] bytes = in.readNBytes(MAX_BYTES + 1);
      if (bytes.length > MAX_BYTES) {
        throw new Failure(Failure.FAILED, file + " is larger than " + MAX_BYTES + " bytes");
      }
      return Eml.fields(bytes);
    } catch (IOException e) {
      throw new Failure(Failure.USAGE, "cannot read " + file + ": " + e.getClass().getSimpleName());
    }
  }
}
