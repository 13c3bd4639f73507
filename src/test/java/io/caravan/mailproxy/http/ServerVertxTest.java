package io.caravan.mailproxy.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.caravan.mailproxy.routes.RawHttp;
import io.caravan.mailproxy.telemetry.AnswerCounts;
import io.caravan.mailproxy.telemetry.RouteMeters;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class ServerVertxTest {
  @Test
  void what_comes_before_it_is_open_is_read_when_it_is() throws Exception {
    ServerVertx vertx =
        new ServerVertx(1, new AnswerCounts(new RouteMeters(new SimpleMeterRegistry(), false)));
    try {
      AtomicInteger asked = new AtomicInteger();
      HttpServer server =
          HttpServers.await(
              vertx
                  .createHttpServer(new HttpServerOptions())
                  .requestHandler(request -> request.response().end("" + asked.incrementAndGet()))
                  .listen(0, "127.0.0.1"));
      URI uri = URI.create("http://127.0.0.1:" + server.actualPort());
      try (Socket early = RawHttp.connect(uri)) {
        RawHttp.write(early, "GET / HTTP/1.0\r\n\r\n");
        early.setSoTimeout(500);
        assertThatThrownBy(early.getInputStream()::read).isInstanceOf(SocketTimeoutException.class);
        assertThat(asked).hasValue(0);
        vertx.open();
        early.setSoTimeout(20_000);
        assertThat(RawHttp.rest(early)).endsWith("1");
      }
      assertThat(RawHttp.send(uri, "GET / HTTP/1.0\r\n\r\n")).endsWith("2");
    } finally {
      vertx.end();
    }
  }
}
