package io.caravan.mailproxy.report;

import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import org.jspecify.annotations.Nullable;

/** Keeps the first bytes of an answer and stops reading there, however long the rest is. */
final class FirstBytes implements BodySubscriber<byte[]> {
  private final byte[] bytes;
  private final CompletableFuture<byte[]> done = new CompletableFuture<>();
  private int length;
  private Flow.@Nullable Subscription subscription;

  FirstBytes(int most) {
    bytes = new byte[most];
  }

  @Override
  public CompletionStage<byte[]> getBody() {
    return done;
  }

  @Override
  public void onSubscribe(Flow.Subscription given) {
    subscription = given;
    given.request(Long.MAX_VALUE);
  }

  @Override
  public void onNext(List<ByteBuffer> buffers) {
    for (ByteBuffer buffer : buffers) {
      int taken = Math.min(buffer.remaining(), bytes.length - length);
      buffer.get(bytes, length, taken);
      length += taken;
    }
    if (length == bytes.length && subscription != null) {
      subscription.cancel();
      onComplete();
    }
  }

  @Override
  public void onError(Throwable failure) {
    done.completeExceptionally(failure);
  }

  @Override
  public void onComplete() {
    done.complete(Arrays.copyOf(bytes, length));
  }
}
