package io.caravan.mailproxy.http;

import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.util.Objects;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How long a connection may take: for nothing, for a request's head, for its body, and for reading
 * an answer. Making an answer has no limit here. It stands before the HTTP decoder, for Vert.x
 * tells nothing of a request before its head is complete, and hears of heads, bodies and answers
 * from {@link Messages}. One thread works with both: that of the connection. Nothing is timed for a
 * request: once a second somebody looks.
 */
final class RequestDeadlines extends ChannelInboundHandlerAdapter {
  private static final long LOOK_MILLIS = 1000;

  /**
   * Nanoseconds, each more than 0.
   *
   * @param idle without a byte of a request, or of an answer that the client takes
   * @param head from its first byte to its last
   * @param body from the head's end to its own
   */
  record Limits(long idle, long head, long body) {}

  private final Channel channel;
  private final Limits limits;
  private final AnswerMeter meter;

  private @Nullable ChannelHandlerContext place;
  private @Nullable Future<?> looking;

  /** Bytes of a head came, and it is not complete. */
  private boolean head;

  /** A head came, and its body is not complete. */
  private boolean body;

  /** Answers that are still to be given. */
  private int owed;

  /** When one of these changed, {@link System#nanoTime}. */
  private long since = System.nanoTime();

  /** How far the client has taken its answers, and when that changed. */
  private long taken;

  private long takenAt;
  private boolean refused;

  private RequestDeadlines(Channel channel, Limits limits, AnswerMeter meter) {
    this.channel = channel;
    this.limits = limits;
    this.meter = meter;
  }

  /**
   * Watches a connection from now on.
   *
   * @param handler name of the handler in its pipeline that takes requests
   * @param meter told of each answer that is given here
   */
  static void watch(Channel channel, String handler, Limits limits, AnswerMeter meter) {
    RequestDeadlines deadlines = new RequestDeadlines(channel, limits, meter);
    channel.pipeline().addFirst(deadlines).addBefore(handler, null, deadlines.new Messages());
  }

  static RequestDeadlines of(Channel channel) {
    return channel.pipeline().get(RequestDeadlines.class);
  }

  /** What passes between the HTTP codec and Vert.x. */
  private final class Messages extends ChannelDuplexHandler {
    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      if (message instanceof HttpRequest request) {
        owed++;
        now(false, request.decoderResult().isSuccess());
      }
      if (message instanceof LastHttpContent) {
        now(false, false);
      }
      context.fireChannelRead(message);
    }

    @Override
    @SuppressWarnings("FutureReturnValueIgnored") // the promise is the writer's
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
      if (message instanceof LastHttpContent && !isInformational(message)) {
        owed--;
        now(head, body);
      }
      context.write(message, promise);
    }
  }

  private static boolean isInformational(Object message) {
    return message instanceof HttpResponse response
        && response.status().codeClass() == HttpStatusClass.INFORMATIONAL;
  }

  private void now(boolean inHead, boolean inBody) {
    head = inHead;
    body = inBody;
    since = System.nanoTime();
  }

  @Override
  @SuppressWarnings("FutureReturnValueIgnored") // it never fails
  public void handlerAdded(ChannelHandlerContext context) {
    place = context;
    looking =
        channel
            .eventLoop()
            .scheduleAtFixedRate(this::look, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext context) {
    if (looking != null) {
      looking.cancel(false);
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (refused) {
      ReferenceCountUtil.release(message);
      return;
    }
    if (!head && !body) {
      now(true, false);
    }
    context.fireChannelRead(message);
  }

  private void look() {
    long now = System.nanoTime();
    if (isTaking(now) || refused) {
      return;
    }
    boolean busy = owed > (body ? 1 : 0); // a request that is read waits for its answer
    long limit = body ? limits.body() : head ? limits.head() : limits.idle();
    if (busy || now - since < limit) {
      return;
    }
    if (head || (body && owed > 0)) {
      refuse(HttpResponseStatus.REQUEST_TIMEOUT, new Arrival().name(null), now - since);
    } else {
      hangUp();
    }
  }

  /** Whether the client has answers to take still; one that has stopped taking them is cut off. */
  private boolean isTaking(long now) {
    ChannelOutboundBuffer out = channel.unsafe().outboundBuffer();
    Object answer = out == null ? null : out.current();
    if (out == null || answer == null) {
      taken = 0;
      return false;
    }
    long place = ((long) System.identityHashCode(answer) << Integer.SIZE) + out.currentProgress();
    if (place != taken) {
      taken = place;
      takenAt = now;
    }
    since = now;
    if (now - takenAt >= limits.idle()) {
      channel.config().setOption(ChannelOption.SO_LINGER, 0); // it will not read the rest
      hangUp();
    }
    return true;
  }

  /**
   * Answers in the place of Vert.x, and ends the connection.
   *
   * @param id what the answer is known by
   * @param nanos since the request began
   */
  @SuppressWarnings("FutureReturnValueIgnored") // whether it works or not, the grace runs
  void refuse(HttpResponseStatus status, String id, long nanos) {
    if (refused || !channel.isActive()) {
      return;
    }
    refused = true;
    // What still comes is read and dropped: closed at once, TCP would take the answer back.
    channel.config().setAutoRead(true);
    meter.unrouted(nanos);
    Problem problem = new Problem(status.code(), told(status));
    String fields =
        "Content-Type: " + problem.contentType() + "\r\n" + HttpEdge.ID + ": " + id + "\r\n";
    HttpServers.lastAnswer(place(), status, fields, Json.text(problem.body(id)))
        .addListener(
            sent -> {
              ((DuplexChannel) channel).shutdownOutput();
              channel
                  .eventLoop()
                  .schedule(this::hangUp, HttpServers.GRACE_MILLIS, TimeUnit.MILLISECONDS);
            });
  }

  private static String told(HttpResponseStatus status) {
    return switch (status.code()) {
      case 400 -> "Not a valid HTTP request";
      case 408 -> "The request was not complete in time";
      case 414 -> "The first line of the request is longer than " + HttpServers.MAX_LINE + " bytes";
      case 431 ->
          "The header of the request is larger than %d bytes, or has more than %d fields"
              .formatted(HttpServers.MAX_HEADER, StrictDecoder.MAX_FIELDS);
      default -> "Only HTTP/1.0 and HTTP/1.1 are spoken here";
    };
  }

  /** Closes below Vert.x, which would first send what is to be sent. */
  @SuppressWarnings("FutureReturnValueIgnored") // there is nothing to do after it
  private void hangUp() {
    place().close();
  }

  private ChannelHandlerContext place() {
    return Objects.requireNonNull(place, "not in a pipeline");
  }
}
