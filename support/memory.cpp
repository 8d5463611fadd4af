#include "nngpcheck/support/memory.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <optional>
#include <string>

namespace nngpcheck::support {

namespace {

namespace fs = std::filesystem;

/// The number behind a word, or the first one of the file for no word.
std::optional<double> number_in(const fs::path& file, const std::string& key = "") {
  std::ifstream stream(file);
  double number = 0;
  if (key.empty()) return stream >> number ? std::optional(number) : std::nullopt;
  for (std::string word; stream >> word;) {
    if (word == key && stream >> number) return number;
  }
  return {};
}

/// How one version of control groups calls things.
struct Version {
  const char* controller;  // in /proc/self/cgroup
  const char* mount;
  const char *limit, *usage, *idle_files;
};

constexpr Version versions[] = {
    {"", "sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"},
    {"memory", "sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
     "total_inactive_file"},
};

/// The control group of this process, from lines "NUMBER:CONTROLLERS:GROUP"; "/" if it is not told.
fs::path group_of(const fs::path& root, const std::string& controller) {
  std::ifstream stream(root / "proc/self/cgroup");
  for (std::string line; std::getline(stream, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    if (controllers.find("," + controller + ",") != std::string::npos) return line.substr(second + 1);
  }
  return "/";
}

/// What the limit of one group leaves; a folder without a limit, such as one that this process does not see,
/// leaves all.
double left_in(const fs::path& group, const Version& version) {
  const auto limit = number_in(group / version.limit);
  if (!limit) return INFINITY;
  const double used = number_in(group / version.usage).value_or(0) -
                      number_in(group / "memory.stat", version.idle_files).value_or(0);
  return std::max(0., *limit - std::max(0., used));
}

}  // namespace

double available_memory(const fs::path& root) {
  const auto kibibytes = number_in(root / "proc/meminfo", "MemAvailable:");
  double result =
      kibibytes ? 1024 * *kibibytes
                : static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  for (const Version& version : versions) {
    const fs::path mount = root / version.mount;
    for (fs::path group = group_of(root, version.controller);; group = group.parent_path()) {
      result = std::min(result, left_in(mount / group.relative_path(), version));
      if (!group.has_relative_path()) break;
    }
  }
  return result;
}

std::string bytes_text(double bytes) {
  const bool giga = bytes >= 0.9995e9;
  char text[32];
  std::snprintf(text, sizeof text, "%.3g %s", bytes / (giga ? 1e9 : 1e6), giga ? "GB" : "MB");
  return text;
}

}  // namespace nngpcheck::support
