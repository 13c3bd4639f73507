package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.http.HttpServers;
import io.caravan.mailproxy.http.Json;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.util.ReferenceCountUtil;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The deadlines of one connection, which carries one request and its answer (RFC 9112, 9.6: {@code
 * Connection: close}). It stands before the HTTP decoder, for Vert.x tells nothing of a request
 * before its head is complete. One thread works with it: that of the connection.
 */
final class ScrapeDeadlines extends ChannelInboundHandlerAdapter {
  /** Bytes of a request at most. */
  private static final int MAX_REQUEST = 65_536;

  private final Channel channel;
  private final long limitMillis;
  private final LongConsumer refused;

  private Phase phase = Phase.IDLE;
  private @Nullable ChannelHandlerContext place;
  private @Nullable Future<?> timer;
  private long began;
  private long bytes;

  private enum Phase {
    IDLE,
    HEAD,
    BODY,
    ANSWER,
    SENDING
  }

  /**
   * @param limitMillis for the first byte, for reading the request, for having its answer, and for
   *     sending it, each
   * @param refused told of each answer given here, how many nanoseconds after the request began
   */
  ScrapeDeadlines(Channel channel, long limitMillis, LongConsumer refused) {
    this.channel = channel;
    this.limitMillis = limitMillis;
    this.refused = refused;
  }

  /** Puts itself in front of the channel's other handlers. */
  void begin() {
    channel.pipeline().addFirst(this);
    arm(limitMillis, this::hangUp);
  }

  /**
   * A request's head is there.
   *
   * @return false: the connection has had its request, and answers no other
   */
  boolean head() {
    if (phase != Phase.HEAD) {
      return false;
    }
    phase = Phase.BODY;
    began = System.nanoTime();
    return true;
  }

  /** The request is read; now it is its answer that must be ready in time. */
  void read(Runnable late) {
    phase = Phase.ANSWER;
    arm(limitMillis, late);
  }

  /** The answer is ready; now it is the client that must take it. */
  void sending() {
    phase = Phase.SENDING;
    // What still comes is read and dropped: closed at once, TCP would take the answer back.
    channel.config().setAutoRead(true);
    arm(limitMillis, this::reset);
  }

  /** The answer has left. */
  @SuppressWarnings("FutureReturnValueIgnored") // whether it works or not, the grace runs
  void sent() {
    ((DuplexChannel) channel).shutdownOutput();
    arm(HttpServers.GRACE_MILLIS, this::hangUp);
  }

  /** Nanoseconds since the head was there, or since the first byte while it is not. */
  long nanos() {
    return System.nanoTime() - began;
  }

  /** Answers in the place of Vert.x; nothing, when the client has its answer. */
  @SuppressWarnings("FutureReturnValueIgnored") // whether it works or not, the grace runs
  void refuse(HttpResponseStatus status) {
    if (phase == Phase.SENDING || !channel.isActive()) {
      return;
    }
    sending();
    String body = Json.text(Map.of("detail", status.reasonPhrase()));
    refused.accept(nanos());
    HttpServers.lastAnswer(place(), status, "Content-Type: application/json\r\n", body)
        .addListener(done -> sent());
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    place = context;
  }

  private ChannelHandlerContext place() {
    return Objects.requireNonNull(place, "not in a pipeline");
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (phase == Phase.IDLE) {
      phase = Phase.HEAD;
      began = System.nanoTime();
      arm(limitMillis, () -> refuse(HttpResponseStatus.REQUEST_TIMEOUT));
    }
    if (phase == Phase.HEAD || phase == Phase.BODY) {
      bytes += ((ByteBuf) message).readableBytes();
      if (bytes <= MAX_REQUEST) {
        context.fireChannelRead(message);
        return;
      }
      refuse(HttpResponseStatus.REQUEST_ENTITY_TOO_LARGE);
    }
    ReferenceCountUtil.release(message);
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    if (timer != null) {
      timer.cancel(false);
    }
    context.fireChannelInactive();
  }

  /** Closes below Vert.x, which would first send what is to be sent. */
  @SuppressWarnings("FutureReturnValueIgnored") // there is nothing to do after it
  private void hangUp() {
    place().close();
  }

  /** Hangs up, and drops what the client would not take. */
  private void reset() {
    channel.config().setOption(ChannelOption.SO_LINGER, 0);
    hangUp();
  }

  private void arm(long millis, Runnable late) {
    if (timer != null) {
      timer.cancel(false);
    }
    timer = channel.eventLoop().schedule(late, millis, TimeUnit.MILLISECONDS);
  }
}
