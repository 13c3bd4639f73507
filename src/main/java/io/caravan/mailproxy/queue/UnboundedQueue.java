package io.caravan.mailproxy.queue;

import java.util.AbstractQueue;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** What a blocking queue that never refuses an element can say without knowing its order. */
abstract class UnboundedQueue<T> extends AbstractQueue<T> implements BlockingQueue<T> {
  @Override
  public void put(T element) {
    offer(element);
  }

  @Override
  public boolean offer(T element, long timeout, TimeUnit unit) {
    return offer(element);
  }

  @Override
  public int remainingCapacity() {
    return Integer.MAX_VALUE;
  }

  @Override
  public int drainTo(Collection<? super T> target) {
    return drainTo(target, Integer.MAX_VALUE);
  }

  @Override
  public void clear() {
    drainTo(new ArrayList<>());
  }

  @Override
  public @Nullable T peek() {
    Iterator<T> all = iterator();
    return all.hasNext() ? all.next() : null;
  }

  @Override
  public T take() throws InterruptedException {
    while (true) {
      T element = poll(1, TimeUnit.MINUTES);
      if (element != null) {
        return element;
      }
    }
  }
}
