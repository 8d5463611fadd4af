#include "config/cifar.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "config/error.hpp"
#include "config/text_file.hpp"

namespace nngpcheck::config {

namespace {

using Eigen::Index;

constexpr Index pixels = 3 * 32 * 32;
constexpr Index record_size = 1 + pixels;

}  // namespace

Index cifar_count(const std::filesystem::path& file) {
  check_file(file);
  const std::uintmax_t size = std::filesystem::file_size(file);
  if (size == 0 || size % record_size != 0) {
    throw ConfigError(file.string() + ": holds " + std::to_string(size) + " bytes, no multiple of " +
                      std::to_string(record_size) +
                      "; give a file of the binary version of CIFAR-10, such as data_batch_1.bin");
  }
  return static_cast<Index>(size) / record_size;
}

Eigen::MatrixXd read_cifar(const std::filesystem::path& file, Index first, Index count) {
  std::ifstream stream(file, std::ios::binary);
  stream.seekg(first * record_size);
  std::array<unsigned char, record_size> record;
  Eigen::MatrixXd result(pixels, count);
  for (Index j = 0; j < count; ++j) {
    if (!stream.read(reinterpret_cast<char*>(record.data()), record_size)) {
      throw ConfigError(file.string() + ": cannot be read: " + std::strerror(errno));
    }
    for (Index i = 0; i < pixels; ++i) result(i, j) = record[static_cast<std::size_t>(i + 1)] / 127.5 - 1;
  }
  return result;
}

}  // namespace nngpcheck::config
