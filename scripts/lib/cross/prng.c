// bcryptprimitives.dll for wine before 9, which has none: Rust's standard library takes its random numbers from ProcessPrng in it.
#include <stddef.h>

// 32-bit Windows exports it without the decoration that its calling convention brings.
#ifdef __i386__
__asm__(".section .drectve,\"yn\"\n.ascii \" -export:ProcessPrng=ProcessPrng@8\"\n.text");
#define EXPORTED
#else
#define EXPORTED __declspec(dllexport)
#endif

__declspec(dllimport) unsigned char __stdcall SystemFunction036(void *buffer, unsigned long length);

EXPORTED int __stdcall ProcessPrng(unsigned char *buffer, size_t length) {
  while (length) {
    unsigned long part = length > 0x10000000 ? 0x10000000 : (unsigned long)length;
    if (!SystemFunction036(buffer, part)) return 0;
    buffer += part;
    length -= part;
  }
  return 1;
}
