package io.caravan.mailproxy.endtoend;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.LoggerConfig;
import org.apache.logging.log4j.core.config.Property;

/** What this process logs while it is open, as {@code LEVEL message}. */
public final class LogLines implements AutoCloseable {
  private final List<String> lines = Collections.synchronizedList(new ArrayList<>());
  private final Lines appender = new Lines();
  private final Level before = root().getLevel();

  public LogLines() {
    appender.start();
    root().addAppender(appender, null, null);
    root().setLevel(Level.INFO);
    context().updateLoggers();
  }

  public List<String> lines() {
    synchronized (lines) {
      return List.copyOf(lines);
    }
  }

  @Override
  public void close() {
    root().removeAppender(appender.getName());
    root().setLevel(before);
    context().updateLoggers();
    appender.stop();
  }

  private static LoggerConfig root() {
    return context().getConfiguration().getRootLogger();
  }

  private static LoggerContext context() {
    return (LoggerContext) LogManager.getContext(false);
  }

  private final class Lines extends AbstractAppender {
    Lines() {
      super("lines-" + System.nanoTime(), null, null, true, Property.EMPTY_ARRAY);
    }

    @Override
    public void append(LogEvent event) {
      lines.add(event.getLevel() + " " + event.getMessage().getFormattedMessage());
    }
  }
}
