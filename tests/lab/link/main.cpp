#include "tests/lab/link/emulated_link.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <unistd.h>

int main(int argc, char** argv) {
  using namespace novacron::lab;
  using milliseconds = std::chrono::duration<double, std::milli>;
  link_shape shape;
  std::string a = "a";
  std::string b = "b";
  double delay_ms = 0;
  double queue_ms = 100;
  double loss_percent = 0;
  CLI::App app{"A link between two network namespaces, until the standard input ends.\n"
               "Their names, novacron-<pid>-<a|b>, and addresses are printed; enter them by\n"
               "ip netns exec. Root's."};
  app.add_option("--a", a, "What the first namespace's name ends with")->capture_default_str();
  app.add_option("--b", b, "What the second one's ends with")->capture_default_str();
  app.add_option("--rate-mbit", shape.rate_mbit_per_s, "0: unlimited")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--delay-ms", delay_ms, "One way")->check(CLI::NonNegativeNumber);
  app.add_option("--loss", loss_percent, "Per cent of the packets")->check(CLI::Range(0.0, 100.0));
  app.add_option("--queue-ms", queue_ms, "A packet that would wait longer is dropped")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    shape.delay = std::chrono::duration_cast<std::chrono::nanoseconds>(milliseconds{delay_ms});
    shape.queue = std::chrono::duration_cast<std::chrono::nanoseconds>(milliseconds{queue_ms});
    shape.loss = loss_percent / 100;
    const emulated_link link{shape, a, b};
    std::printf("%s %s\n%s %s\n", link.a().name().c_str(), emulated_link::address_a,
                link.b().name().c_str(), emulated_link::address_b);
    std::fflush(stdout);
    char dropped[256];
    while (::read(STDIN_FILENO, dropped, sizeof dropped) > 0) {
    }
    std::printf(
        "a to b: %lu bytes, %lu dropped, %lu lost; b to a: %lu bytes, %lu dropped, %lu lost\n",
        link.from_a().bytes.load(), link.from_a().dropped.load(), link.from_a().lost.load(),
        link.from_b().bytes.load(), link.from_b().dropped.load(), link.from_b().lost.load());
    return 0;
  } catch (const std::exception& why) {
    std::fprintf(stderr, "link: %s\n", why.what());
    return 1;
  }
}
