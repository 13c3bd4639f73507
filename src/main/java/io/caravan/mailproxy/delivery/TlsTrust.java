package io.caravan.mailproxy.delivery;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Collection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * The socket factory of one connection. Trusts the system's roots and an account's own anchors,
 * nothing else, and remembers the socket it made, because the library keeps it to itself.
 */
final class TlsTrust extends SSLSocketFactory {
  private final SSLSocketFactory factory;
  private @Nullable Socket made;

  private TlsTrust(SSLSocketFactory factory) {
    this.factory = factory;
  }

  /**
   * A factory to be used for one connection.
   *
   * @param context from {@link #context}
   */
  static TlsTrust of(SSLContext context) {
    return new TlsTrust(context.getSocketFactory());
  }

  /**
   * @param pem certificates trusted in addition to the system's; {@code null} or blank: none
   * @throws GeneralSecurityException when {@code pem} holds no certificate
   */
  static SSLContext context(@Nullable String pem) throws GeneralSecurityException, IOException {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, pem == null || pem.isBlank() ? null : systemAnd(pem), null);
    return context;
  }

  /** A context for opportunistic TLS: against who only listens, whoever the server is. */
  static SSLContext anybody() throws GeneralSecurityException {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, new TrustManager[] {new Anybody()}, null);
    return context;
  }

  private static TrustManager[] systemAnd(String pem) throws GeneralSecurityException, IOException {
    KeyStore anchors = KeyStore.getInstance(KeyStore.getDefaultType());
    anchors.load(null, null);
    int n = 0;
    for (TrustManager manager : managers(null)) {
      if (manager instanceof X509TrustManager system) {
        for (X509Certificate root : system.getAcceptedIssuers()) {
          anchors.setCertificateEntry("system-" + n++, root);
        }
      }
    }
    InputStream text = new ByteArrayInputStream(pem.getBytes(StandardCharsets.UTF_8));
    Collection<? extends Certificate> own =
        CertificateFactory.getInstance("X.509").generateCertificates(text);
    if (own.isEmpty()) {
      throw new CertificateException("tls_ca holds no PEM certificate");
    }
    for (Certificate anchor : own) {
      anchors.setCertificateEntry("own-" + n++, anchor);
    }
    return managers(anchors);
  }

  private static TrustManager[] managers(@Nullable KeyStore anchors)
      throws GeneralSecurityException {
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(anchors);
    return trust.getTrustManagers();
  }

  /** The TLS socket made last, if any. */
  @Nullable Socket made() {
    return made;
  }

  @Override
  public Socket createSocket(Socket plain, String host, int port, boolean autoClose)
      throws IOException {
    Socket socket = factory.createSocket(plain, host, port, autoClose);
    made = socket;
    return socket;
  }

  private static final class Anybody extends X509ExtendedTrustManager {
    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      throw new CertificateException("this is no server");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      throw new CertificateException("this is no server");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      throw new CertificateException("this is no server");
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }

  @Override
  public String[] getDefaultCipherSuites() {
    return factory.getDefaultCipherSuites();
  }

  @Override
  public String[] getSupportedCipherSuites() {
    return factory.getSupportedCipherSuites();
  }

  // The socket below TLS is always ours, so that the deadline holds for it.

  @Override
  public Socket createSocket(String host, int port) throws IOException {
    throw new IOException("only over a socket of the pool");
  }

  @Override
  public Socket createSocket(String host, int port, InetAddress local, int localPort)
      throws IOException {
    throw new IOException("only over a socket of the pool");
  }

  @Override
  public Socket createSocket(InetAddress host, int port) throws IOException {
    throw new IOException("only over a socket of the pool");
  }

  @Override
  public Socket createSocket(InetAddress host, int port, InetAddress local, int localPort)
      throws IOException {
    throw new IOException("only over a socket of the pool");
  }
}
