package io.caravan.mailproxy.delivery;

import jakarta.mail.Session;
import java.util.Properties;
import org.apache.camel.component.mail.JavaMailSender;
import org.apache.camel.component.mail.MailAuthenticator;
import org.jspecify.annotations.Nullable;

/**
 * What the {@code smtp:} endpoint sets and asks of its sender; without meaning here, for relay and
 * credentials come from the mail's account. None may be blank.
 */
abstract class EndpointSender implements JavaMailSender {
  private String protocol = "smtp";
  private String host = "relay";
  private int port = 25;
  private Properties properties = new Properties();
  private @Nullable String username;
  private @Nullable String password;
  private @Nullable Session session;
  private @Nullable MailAuthenticator authenticator;

  @Override
  public Properties getJavaMailProperties() {
    return properties;
  }

  @Override
  public void setJavaMailProperties(Properties javaMailProperties) {
    properties = javaMailProperties;
  }

  @Override
  public void addAdditionalJavaMailProperty(String key, String value) {
    properties.setProperty(key, value);
  }

  @Override
  public void setHost(String host) {
    this.host = host;
  }

  @Override
  public String getHost() {
    return host;
  }

  @Override
  public void setPort(int port) {
    this.port = port;
  }

  @Override
  public int getPort() {
    return port;
  }

  @Override
  public void setUsername(@Nullable String username) {
    this.username = username;
  }

  @Override
  public @Nullable String getUsername() {
    return username;
  }

  @Override
  public void setPassword(@Nullable String password) {
    this.password = password;
  }

  @Override
  public @Nullable String getPassword() {
    return password;
  }

  @Override
  public void setProtocol(String protocol) {
    this.protocol = protocol;
  }

  @Override
  public String getProtocol() {
    return protocol;
  }

  @Override
  public void setSession(Session session) {
    this.session = session;
  }

  @Override
  public Session getSession() {
    Session known = session;
    if (known == null) {
      known = Session.getInstance(properties);
      session = known;
    }
    return known;
  }

  @Override
  public void setAuthenticator(@Nullable MailAuthenticator authenticator) {
    this.authenticator = authenticator;
  }

  @Override
  public @Nullable MailAuthenticator getAuthenticator() {
    return authenticator;
  }
}
