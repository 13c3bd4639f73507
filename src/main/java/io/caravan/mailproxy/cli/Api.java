package io.caravan.mailproxy.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.http.Json;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Calls a running proxy; every answer but 2xx is a {@link Failure}. */
final class Api {
  private static final Duration CONNECT = Duration.ofSeconds(5);
  private static final Duration ANSWER = Duration.ofSeconds(60);
  private static final int MAX_PROBLEM_BYTES = 64 * 1024;

  private final URI base;
  private final String token;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(CONNECT).build();

  /**
   * @param base the proxy's address, without a path
   * @param token blank: none
   */
  Api(URI base, String token) {
    this.base = base;
    this.token = token;
  }

  URI base() {
    return base;
  }

  String get(String path) {
    return text(request(path).GET());
  }

  String put(String path, Object body) {
    return text(json(path).PUT(BodyPublishers.ofByteArray(Json.bytes(body))));
  }

  String post(String path, Object body) {
    return text(json(path).POST(BodyPublishers.ofByteArray(Json.bytes(body))));
  }

  /** Without a body. */
  String post(String path) {
    return text(request(path).POST(BodyPublishers.noBody()));
  }

  String delete(String path) {
    return text(request(path).DELETE());
  }

  /** The status of an answer, whichever. */
  int status(String path) {
    return send(request(path).GET(), HttpResponse.BodyHandlers.discarding()).statusCode();
  }

  /** A part of a path. */
  static String segment(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  /** A query of names and values in turns, with its question mark; null values are left out. */
  static String query(@Nullable Object... pairs) {
    StringBuilder query = new StringBuilder();
    for (int i = 0; i < pairs.length; i += 2) {
      if (pairs[i + 1] != null) {
        query.append(query.isEmpty() ? '?' : '&').append(pairs[i]).append('=');
        query.append(segment(String.valueOf(pairs[i + 1])));
      }
    }
    return query.toString();
  }

  private HttpRequest.Builder request(String path) {
    HttpRequest.Builder request = HttpRequest.newBuilder(base.resolve(path)).timeout(ANSWER);
    return token.isEmpty() ? request : request.header("X-API-Token", token);
  }

  private HttpRequest.Builder json(String path) {
    return request(path).header("Content-Type", "application/json");
  }

  private String text(HttpRequest.Builder request) {
    try (InputStream body = bodyOf(send(request, HttpResponse.BodyHandlers.ofInputStream()))) {
      return new String(body.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw unreachable(e);
    }
  }

  private <T> HttpResponse<T> send(
      HttpRequest.Builder request, HttpResponse.BodyHandler<T> handler) {
    try {
      return client.send(request.build(), handler);
    } catch (IOException e) {
      throw unreachable(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Failure(Failure.FAILED, "interrupted");
    }
  }

  private Failure unreachable(IOException e) {
    String why = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    return new Failure(
        Failure.UNREACHABLE,
        "no answer from "
            + base
            + " ("
            + why
            + ").\nIs it running? Start it with: mail-proxy start. Elsewhere? Name it by --url or"
            + " GMP_URL.");
  }

  private static InputStream bodyOf(HttpResponse<InputStream> answer) {
    if (answer.statusCode() / 100 == 2) {
      return answer.body();
    }
    try (InputStream body = answer.body()) {
      String text = new String(body.readNBytes(MAX_PROBLEM_BYTES), StandardCharsets.UTF_8);
      throw new Failure(
          Failure.FAILED,
          "refused (" + answer.statusCode() + "): " + detail(text) + next(answer.statusCode()));
    } catch (IOException e) {
      throw new Failure(Failure.FAILED, "refused (" + answer.statusCode() + ")");
    }
  }

  /** What the proxy says is wrong. */
  private static String detail(String body) {
    JsonNode problem;
    try {
      problem = Json.MAPPER.readTree(body);
    } catch (JsonProcessingException e) {
      return "no reason given";
    }
    StringBuilder text = new StringBuilder();
    for (JsonNode error : problem.path("errors")) {
      text.append(text.isEmpty() ? "" : "; ");
      text.append(error.path("pointer").asText(error.path("parameter").asText("")));
      text.append(' ').append(error.path("detail").asText());
    }
    JsonNode detail = problem.path("detail");
    for (JsonNode rejected : detail.path("rejected")) {
      text.append(text.isEmpty() ? "" : "; ").append(rejected.path("reason").asText());
    }
    if (text.isEmpty()) {
      text.append(detail.isTextual() ? detail.asText() : detail.path("error").asText(body));
    }
    return Table.clean(text.toString());
  }

  private static String next(int status) {
    return switch (status) {
      case 401 -> "\nSet the token: GMP_API_TOKEN, GMP_API_TOKEN_FILE or --token-file.";
      case 403 -> "\nThis needs the administrator's token.";
      case 404 -> "\nSee what there is with the command list, and check --tenant and --url.";
      case 422 -> "\nSee the options with --help; the administrator's token needs --tenant.";
      case 429, 503 -> "\nTry again in a moment.";
      case 500 -> "\nThe proxy's log says more.";
      default -> "";
    };
  }
}
