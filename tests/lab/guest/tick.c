// The guest's only program: prints a tick every 100 ms and guards a region of memory.
//
//   TICK <n> <uptime, s> mem=<ok|BAD> <running checksum> sweep=<complete passes> written=<pages>
//
// Each tick writes some pages of the region and verifies others. What a page must contain is
// computed from the seed and from how many pages have been written, never from the memory
// itself: a page that was lost, swapped or left stale by a migration is found by the next sweep,
// and from then on every tick says BAD.
//
// Kernel arguments: novacron.region=MIB (32), novacron.dirty=MIB_per_s (2), novacron.mode=MODE,
// what pages hold (README.md), novacron.sweep=SECONDS for one pass over the region (10),
// novacron.seed=N, and novacron.corrupt=TICK, which flips one bit of the region at that tick, to
// prove that it is noticed.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { page_size = 4096, line_size = 64, lines = page_size / line_size };
enum { ticks_per_second = 10, templates = 16 };

enum mode { mode_text, mode_part, mode_dup, mode_rand };

struct region {
  unsigned char* bytes;
  uint64_t pages;
  uint64_t seed;
  enum mode mode;
  uint64_t stride;  // pages are written in steps of it: coprime to `pages`, so each has its turn
  uint64_t written; // since the first filling
};

static uint64_t mix(uint64_t x) { // the finisher of splitmix64
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ x >> 27) * 0x94D049BB133111EBull;
  return x ^ x >> 31;
}

static const uint64_t golden = 0x9E3779B97F4A7C15ull;

static void fill_with_noise(unsigned char* out, size_t size, uint64_t state) {
  for (size_t i = 0; i < size; i += sizeof state) {
    uint64_t noise = mix(state += golden);
    memcpy(out + i, &noise, sizeof noise);
  }
}

// Compressible content that differs in every line, page and version: eight bytes of noise a line.
static void compose_text(unsigned char* out, uint64_t state) {
  static const char text[] = "novacron keeps this line of this page under its eyes....";
  for (int i = 0; i < lines; ++i) {
    uint64_t noise = mix(state += golden);
    memcpy(out + i * line_size, &noise, sizeof noise);
    memcpy(out + i * line_size + sizeof noise, text, line_size - sizeof noise);
  }
}

// What a page must hold in its n-th version.
static void compose(unsigned char* out, const struct region* r, uint64_t page, uint64_t version) {
  const uint64_t of_page = r->seed ^ page * golden;
  const uint64_t of_version = mix(of_page ^ version * 0xD1342543DE82EF95ull);
  switch (r->mode) {
  case mode_text:
    compose_text(out, of_version);
    break;
  case mode_part: // noise that stays, but for one line
    fill_with_noise(out, page_size, mix(of_page));
    fill_with_noise(out + page % lines * line_size, line_size, of_version);
    break;
  case mode_dup: // one of a few pages
    fill_with_noise(out, page_size, mix(r->seed + of_version % templates));
    break;
  case mode_rand:
    fill_with_noise(out, page_size, of_version);
    break;
  }
}

static uint64_t common_divisor(uint64_t a, uint64_t b) {
  while (b != 0) {
    uint64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

static uint64_t page_of_step(const struct region* r, uint64_t step) {
  return step * r->stride % r->pages;
}

// The page that is verified in turn `turn`, and how often it has been written: pages are verified
// in the order in which they are written, so both follow from two counters.
static uint64_t version_of_turn(const struct region* r, uint64_t turn) {
  uint64_t place = turn % r->pages;
  return r->written > place ? (r->written - 1 - place) / r->pages + 1 : 0;
}

static void write_next(struct region* r) {
  uint64_t page = page_of_step(r, r->written % r->pages);
  compose(r->bytes + page * page_size, r, page, r->written / r->pages + 1);
  ++r->written;
}

// Returns 1 when the page is what it must be, and adds its content to the checksum.
static int verify_turn(const struct region* r, uint64_t turn, uint64_t* checksum) {
  unsigned char expected[page_size];
  uint64_t page = page_of_step(r, turn % r->pages);
  const unsigned char* found = r->bytes + page * page_size;
  compose(expected, r, page, version_of_turn(r, turn));
  uint64_t sample;
  memcpy(&sample, found + turn % lines * line_size, sizeof sample);
  *checksum = mix(*checksum ^ sample);
  return memcmp(expected, found, page_size) == 0;
}

static uint64_t argument(const char* cmdline, const char* name, uint64_t otherwise) {
  const char* at = strstr(cmdline, name);
  return at ? strtoull(at + strlen(name), NULL, 10) : otherwise;
}

static enum mode mode_of(const char* cmdline) {
  static const char* const names[] = {"text", "part", "dup", "rand"};
  const char* at = strstr(cmdline, "novacron.mode=");
  for (int i = 0; at && i <= mode_rand; ++i)
    if (strncmp(at + strlen("novacron.mode="), names[i], strlen(names[i])) == 0)
      return (enum mode)i;
  return mode_text;
}

static void read_cmdline(char* out, size_t size) {
  FILE* file = fopen("/proc/cmdline", "r");
  size_t n = file ? fread(out, 1, size - 1, file) : 0;
  out[n] = 0;
  if (file)
    fclose(file);
}

static struct region make_region(uint64_t mib, uint64_t seed, enum mode mode) {
  struct region r = {.seed = seed, .mode = mode, .pages = mib * 1024 * 1024 / page_size};
  if (r.pages == 0)
    r.pages = 1;
  r.bytes
      = mmap(NULL, r.pages * page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (r.bytes == MAP_FAILED) {
    printf("FATAL cannot map %llu pages: lower novacron.region\n", (unsigned long long)r.pages);
    for (;;)
      pause();
  }
  r.stride = 1 + r.pages * 5 / 8;
  while (common_divisor(r.stride, r.pages) != 1)
    ++r.stride;
  for (uint64_t page = 0; page < r.pages; ++page)
    compose(r.bytes + page * page_size, &r, page, 0);
  return r;
}

// Waits for the next tenth of a second; after a pause of the guest it goes on from the present.
static void wait_for_tick(struct timespec* next) {
  struct timespec now;
  next->tv_nsec += 1000000000 / ticks_per_second;
  if (next->tv_nsec >= 1000000000) {
    next->tv_nsec -= 1000000000;
    ++next->tv_sec;
  }
  clock_gettime(CLOCK_MONOTONIC, &now);
  if (now.tv_sec > next->tv_sec || (now.tv_sec == next->tv_sec && now.tv_nsec > next->tv_nsec))
    *next = now;
  else
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, next, NULL);
}

int main(void) {
  char cmdline[4096];
  read_cmdline(cmdline, sizeof cmdline);
  setvbuf(stdout, NULL, _IOLBF, 0);

  struct region r = make_region(argument(cmdline, "novacron.region=", 32),
                                argument(cmdline, "novacron.seed=", 1), mode_of(cmdline));
  const uint64_t dirty = argument(cmdline, "novacron.dirty=", 2) * 1024 * 1024 / page_size;
  const uint64_t sweep_ticks = argument(cmdline, "novacron.sweep=", 10) * ticks_per_second;
  const uint64_t verified_a_tick = r.pages / (sweep_ticks > 0 ? sweep_ticks : 1) + 1;
  const uint64_t corrupt_at = argument(cmdline, "novacron.corrupt=", 0);

  struct timespec next;
  clock_gettime(CLOCK_MONOTONIC, &next);
  uint64_t turn = 0, checksum = r.seed, owed = 0;
  int good = 1;
  for (uint64_t n = 1;; ++n) {
    if (n == corrupt_at)
      r.bytes[page_of_step(&r, (turn + 1) % r.pages) * page_size + 17] ^= 4;
    for (owed += dirty; owed >= ticks_per_second; owed -= ticks_per_second)
      write_next(&r);
    for (uint64_t i = 0; i < verified_a_tick; ++i)
      good &= verify_turn(&r, turn++, &checksum);
    wait_for_tick(&next);
    printf("TICK %llu %lld.%02ld mem=%s %016llx sweep=%llu written=%llu\n", (unsigned long long)n,
           (long long)next.tv_sec, next.tv_nsec / 10000000, good ? "ok" : "BAD",
           (unsigned long long)checksum, (unsigned long long)(turn / r.pages),
           (unsigned long long)r.written);
  }
}
