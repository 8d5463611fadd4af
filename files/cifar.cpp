#include "nngpcheck/files/cifar.hpp"

#include <fmt/format.h>

#include "nngpcheck/support/error.hpp"

namespace nngpcheck::files {

namespace {

using Eigen::Index;

constexpr std::size_t pixels = 3 * 32 * 32;

/// One version of the data set: how many labels stand before the pixels, and how many classes they tell
/// apart.
struct Version {
  std::vector<int> classes;

  std::size_t record() const { return classes.size() + pixels; }

  bool fits(const std::string& bytes) const {
    if (bytes.empty() || bytes.size() % record() != 0) return false;
    for (std::size_t start = 0; start < bytes.size(); start += record()) {
      for (std::size_t k = 0; k < classes.size(); ++k) {
        if (static_cast<unsigned char>(bytes[start + k]) >= classes[k]) return false;
      }
    }
    return true;
  }
};

}  // namespace

Array parse_cifar(std::string name, std::string bytes) {
  const Version versions[] = {{{10}}, {{20, 100}}};
  for (const Version& version : versions) {
    if (!version.fits(bytes)) continue;
    const auto count = static_cast<Index>(bytes.size() / version.record());
    const NumberType byte{NumberType::Kind::unsigned_integer, 1};
    return {std::move(name),
            std::move(bytes),
            byte,
            {count, 3, 32, 32},
            {version.classes.size(), {version.record(), 32 * 32, 32, 1}}};
  }
  throw InputError(
      fmt::format("{}: {} bytes that are neither CIFAR-10's (records of {}, the first byte a label from 0 to "
                  "9) nor CIFAR-100's "
                  "(records of {}, labels from 0 to 19 and 0 to 99); give a file of a binary version, such "
                  "as data_batch_1.bin, or "
                  "save the images as .npy",
                  name, bytes.size(), versions[0].record(), versions[1].record()));
}

}  // namespace nngpcheck::files
